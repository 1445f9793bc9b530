#include "lib/ncnn/param.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "lib/base/error.h"

namespace intaglio {
namespace {

constexpr std::string_view magic = "7767517";
constexpr std::size_t most_blobs = 1 << 20;

// The words of one line, one after the other.
class Line {
 public:
  Line(std::string_view line, std::string where) : rest_(line), where_(std::move(where)) {}

  // Empty: there are no more.
  std::string_view next() {
    const std::size_t begin = rest_.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return rest_ = {};
    rest_.remove_prefix(begin);
    const std::size_t end = std::min(rest_.find_first_of(blanks), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }
  std::string needed(std::string_view what) {
    const std::string_view word = next();
    if (word.empty()) fail(fmt::format("ends before {}", what));
    return std::string(word);
  }
  std::size_t count(std::string_view what) {
    const std::string word = needed(what);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value > most_blobs)
      fail(fmt::format("'{}' is no {}", word, what));
    return value;
  }
  // A value in quotes may hold blanks.
  std::string_view rest() const { return rest_; }
  void skip(std::size_t n) { rest_.remove_prefix(n); }

  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(Code::model, fmt::format("{}: {}", where_, reason),
                "Convert the model again with pnnx: it writes NAME.ncnn.param and NAME.ncnn.bin.");
  }

 private:
  static constexpr std::string_view blanks = " \t\r";
  std::string_view rest_;
  std::string where_;
};

std::pair<std::int64_t, std::string> parse_param(Line& words, std::string_view word) {
  std::int64_t key = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), key);
  const auto used = static_cast<std::size_t>(end - word.data());
  if (error != std::errc() || used + 1 >= word.size() || word[used] != '=')
    words.fail(fmt::format("'{}' is no key=value", word));
  std::string value(word.substr(used + 1));
  if (value.front() == '"' && (value.size() == 1 || value.back() != '"')) {
    const std::size_t close = words.rest().find('"');
    if (close == std::string_view::npos) words.fail(fmt::format("'{}' has no second quote", word));
    value += words.rest().substr(0, close + 1);
    words.skip(close + 1);
  }
  return {key, std::move(value)};
}

NcnnLayer parse_layer(Line& words) {
  NcnnLayer layer;
  layer.type = words.needed("a layer");
  layer.name = words.needed("its name");
  const std::size_t bottoms = words.count("number of inputs");
  const std::size_t tops = words.count("number of outputs");
  for (std::size_t i = 0; i < bottoms; ++i) layer.bottoms.push_back(words.needed("its inputs"));
  for (std::size_t i = 0; i < tops; ++i) layer.tops.push_back(words.needed("its outputs"));
  for (std::string_view word = words.next(); !word.empty(); word = words.next())
    layer.params.push_back(parse_param(words, word));
  return layer;
}

}  // namespace

std::int64_t NcnnLayer::param(std::int64_t key, std::int64_t fallback) const {
  const auto it = std::ranges::find(params, key, &std::pair<std::int64_t, std::string>::first);
  if (it == params.end()) return fallback;
  std::int64_t value = 0;
  const char* const last = it->second.data() + it->second.size();
  const auto [end, error] = std::from_chars(it->second.data(), last, value);
  if (error != std::errc() || end != last)
    throw Error(Code::model,
                fmt::format("layer '{}': {}={} is no whole number", name, key, it->second),
                "Convert the model again with pnnx.");
  return value;
}

void NcnnLayer::set_param(std::int64_t key, std::int64_t value) {
  const auto it = std::ranges::find(params, key, &std::pair<std::int64_t, std::string>::first);
  if (it != params.end())
    it->second = std::to_string(value);
  else
    params.emplace_back(key, std::to_string(value));
}

NcnnGraph parse_ncnn_param(std::string_view text, const std::string& origin) {
  NcnnGraph graph;
  std::size_t line_number = 0;
  const auto next_line = [&] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Line words(text.substr(0, end), fmt::format("{}:{}", origin, ++line_number));
    text.remove_prefix(std::min(end + 1, text.size()));
    return words;
  };
  Line first = next_line();
  if (first.next() != magic)
    first.fail(fmt::format("is no text of an ncnn network: it does not begin with {}", magic));
  Line second = next_line();
  const std::size_t layers = second.count("number of layers");
  graph.blobs = second.count("number of blobs");
  while (!text.empty()) {
    Line words = next_line();
    if (Line(words).next().empty()) continue;
    graph.layers.push_back(parse_layer(words));
  }
  if (graph.layers.size() != layers)
    second.fail(fmt::format("says {} layers, and {} follow", layers, graph.layers.size()));
  return graph;
}

std::string ncnn_param_text(const NcnnGraph& graph) {
  std::string text = fmt::format("{}\n{} {}\n", magic, graph.layers.size(), graph.blobs);
  for (const NcnnLayer& layer : graph.layers) {
    text += fmt::format("{:<24} {:<24} {} {}", layer.type, layer.name, layer.bottoms.size(),
                        layer.tops.size());
    for (const auto* blobs : {&layer.bottoms, &layer.tops})
      for (const std::string& blob : *blobs) text += ' ' + blob;
    for (const auto& [key, value] : layer.params) text += fmt::format(" {}={}", key, value);
    text += '\n';
  }
  return text;
}

}  // namespace intaglio
