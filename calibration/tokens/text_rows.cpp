#include "calibration/tokens/text_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace intaglio {
namespace {

std::size_t length_of(const TextSpec& spec, std::optional<std::size_t> takes) {
  if (spec.length == 0) throw Error(Code::usage, "`sequence-length 0`: expected at least 1");
  if (takes && spec.length && *takes != *spec.length)
    throw Error(Code::usage,
                fmt::format("`sequence-length {}`: the model takes {} tokens, no other number",
                            *spec.length, *takes),
                "Leave `sequence-length` out.");
  return takes ? *takes : spec.length.value_or(default_length);
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

}  // namespace

const Tokenizer& SharedTokenizer::read(const std::filesystem::path& path) {
  std::call_once(once_, [&] { tokenizer_.emplace(Tokenizer::read(path)); });
  return *tokenizer_;
}

TextReader::TextReader(const TextSpec& spec, std::optional<std::size_t> takes)
    : path_(spec.tokenizer),
      tokenizer_(spec.shared, &spec.shared->read(spec.tokenizer)),
      takes_(takes),
      length_(length_of(spec, takes)),
      by_line_(tokenizer_->encloses() || tokenizer_->kind() == "WordPiece") {}

std::optional<std::int64_t> TextReader::padding() const {
  return by_line_ && takes_ ? tokenizer_->padding() : std::nullopt;
}

TextRows TextReader::read(const std::filesystem::path& file) const {
  const std::string text = read_file(file);
  try {
    if (is_blank(text))
      throw Error(Code::data, text.empty() ? "the text is empty" : "the text is nothing but spaces",
                  "Give a text that looks like use.");
    return by_line_ ? lines(text) : windows(text);
  } catch (const Error& e) {
    throw e.within(file.string());
  }
}

TextRows TextReader::windows(std::string_view text) const {
  const std::vector<std::int64_t> ids = tokenizer_->encode(text);
  TextRows made;
  for (std::size_t at = 0; at + length_ <= ids.size(); at += length_)
    made.rows.emplace_back(ids.begin() + static_cast<std::ptrdiff_t>(at),
                           ids.begin() + static_cast<std::ptrdiff_t>(at + length_));
  made.left_over = ids.size() % length_;
  if (made.rows.empty())
    throw Error(
        Code::data, fmt::format("{} tokens are less than one sequence of {}", ids.size(), length_),
        takes_ ? "Give a longer text." : "Give a longer text, or a smaller `sequence-length N`.");
  return made;
}

TextRows TextReader::lines(std::string_view text) const {
  TextRows made;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (is_blank(line)) continue;
    std::vector<std::int64_t> ids = tokenizer_->encode(line, /*around=*/true, length_);
    if (takes_ && ids.size() < *takes_) {
      if (!tokenizer_->padding())
        throw Error(Code::data,
                    fmt::format("a line of {} tokens, the model takes {}, and the tokenizer has no "
                                "token to fill it up with",
                                ids.size(), *takes_),
                    "Give ids of that length as .npy or .npz.");
      ids.resize(*takes_, *tokenizer_->padding());
    }
    if (!ids.empty()) made.rows.push_back(std::move(ids));
  }
  if (made.rows.empty()) throw Error(Code::data, "no line of it has a token", "Give other text.");
  return made;
}

Json TextReader::to_json() const {
  return {{"tokenizer", path_.generic_string()},
          {"kind", tokenizer_->kind()},
          {"vocabulary", tokenizer_->size()},
          {"sha256", tokenizer_->sha256()},
          {"by_line", by_line_},
          {"sequence_length", length_}};
}

}  // namespace intaglio
