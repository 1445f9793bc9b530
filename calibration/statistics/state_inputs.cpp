#include "calibration/statistics/state_inputs.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "lib/graph/op_traits.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

// Words that tell the state before a run from the one behind it.
bool tells_direction(const std::string& word) {
  static constexpr std::array<std::string_view, 23> words = {
      "past", "present", "in",      "out", "input",    "output", "inputs", "outputs",
      "prev", "next",    "new",     "old", "n",        "init",   "final",  "initial",
      "last", "updated", "current", "cur", "previous", "i",      "o"};
  return std::ranges::find(words, word) != words.end();
}

// "past_key_values.0.key" and "present.0.key" -> {"0", "key"}; "hn" and "h0" -> {"h"}; "stateN" ->
// {"state"}
std::set<std::string> stem_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool upper_after_lower =
        i > 0 && std::isupper(c) && std::islower(static_cast<unsigned char>(name[i - 1]));
    if (!std::isalnum(c) || upper_after_lower) words.emplace_back();
    if (std::isalnum(c)) words.back() += static_cast<char>(std::tolower(c));
  }
  std::set<std::string> stem;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string& word = words[i];
    if (word == "values" || (i + 1 < words.size() && words[i + 1] == "values")) continue;
    if (word.size() == 2 && (word[0] == 'h' || word[0] == 'c') &&
        (word[1] == 'n' || std::isdigit(static_cast<unsigned char>(word[1]))))
      word.resize(1);
    if (!word.empty() && !tells_direction(word)) stem.insert(word);
  }
  return stem;
}

bool agree(const Value& input, const Value& output) {
  if (input.dtype() != output.dtype()) return false;
  if (!input.dims() || !output.dims()) return true;
  return input.rank() == output.rank() &&
         std::ranges::equal(*input.dims(), *output.dims(), [](const Dim& a, const Dim& b) {
           return !a.known() || !b.known() || a.value == b.value;
         });
}

bool takes(const Value& input, const Shape& shape) {
  if (!input.dims()) return true;
  return input.dims()->size() == shape.size() &&
         std::ranges::equal(*input.dims(), shape, [](const Dim& dim, std::int64_t length) {
           return !dim.known() || dim.value == length;
         });
}

template <typename Values, typename Matches>
const Value* only_match(const Values& values, Matches matches) {
  const Value* found = nullptr;
  for (const Value* value : values) {
    if (!matches(*value)) continue;
    if (found != nullptr) return nullptr;
    found = value;
  }
  return found;
}

}  // namespace

std::map<std::string, std::string> state_pairs(const Graph& graph) {
  std::map<std::string, std::string> pairs;
  const std::vector<Value*> feeds = graph.feeds();
  const bool others = feeds.size() > 1 && graph.outputs().size() > 1;
  for (const Value* feed : feeds) {
    const auto stem = stem_of(feed->name());
    const Value* output = only_match(graph.outputs(), [&](const Value& v) {
      return agree(*feed, v) && !stem.empty() && stem_of(v.name()) == stem;
    });
    if (output == nullptr && others && feed->rank() > 1) {
      output = only_match(graph.outputs(), [&](const Value& v) { return agree(*feed, v); });
      if (output != nullptr &&
          only_match(feeds, [&](const Value& v) { return agree(v, *output); }) != feed)
        output = nullptr;
    }
    if (output != nullptr && output != feed) pairs[feed->name()] = output->name();
  }
  return pairs;
}

const Value* input_of(const Value& value) {
  const Value* source = &value;
  while (source != nullptr && source->producer() != nullptr) {
    if (!traits_of(*source->producer()).moves) return nullptr;
    source = source->producer()->input(0);
  }
  return source != nullptr && source->is_feed() ? source : nullptr;
}

std::set<std::string> measured_values(const Graph& graph, const Plan& plan) {
  const auto pairs = state_pairs(graph);
  std::set<std::string> names;
  for (const ActivationPlan& activation : plan.activations) {
    names.insert(activation.name);
    const Value* input = input_of(*graph.find(activation.name));
    const auto pair = input != nullptr ? pairs.find(input->name()) : pairs.end();
    if (pair != pairs.end() && graph.find(pair->second)->dtype() == DType::f32)
      names.insert({input->name(), pair->second});
  }
  return names;
}

StateFeeds::StateFeeds(const Graph& graph) {
  const std::vector<Value*> feeds = graph.feeds();
  const std::vector<Value*>& outputs = graph.outputs();
  for (const auto& [input, output] : state_pairs(graph)) {
    if (graph.find(input)->dtype() != DType::f32) continue;
    const auto at = [](const std::vector<Value*>& values, const std::string& name) {
      return static_cast<std::size_t>(std::ranges::find(values, name, &Value::name) -
                                      values.begin());
    };
    pairs_.push_back({graph.find(input), at(feeds, input), at(outputs, output)});
  }
}

std::optional<std::vector<Tensor>> StateFeeds::next(const std::vector<Tensor>& first,
                                                    const std::vector<Tensor>& results) const {
  std::vector<Tensor> feeds = first;
  bool any = false;
  for (const Pair& pair : pairs_) {
    const Tensor &before = first[pair.feed], &made = results[pair.output];
    const bool state = made.dtype() == DType::f32 && takes(*pair.input, made.shape()) &&
                       std::ranges::all_of(before.data<float>(), [](float v) { return v == 0; });
    if (!state) continue;
    feeds[pair.feed] = made;
    any = true;
  }
  return any ? std::optional(std::move(feeds)) : std::nullopt;
}

std::vector<std::string> StateFeeds::zeros(const std::vector<Tensor>& first) const {
  std::vector<std::string> names;
  for (const Pair& pair : pairs_)
    if (std::ranges::all_of(first[pair.feed].data<float>(), [](float v) { return v == 0; }))
      names.push_back(pair.input->name());
  return names;
}

bool is_zero(const Observations& observations, const std::string& value) {
  const auto it = observations.values.find(value);
  return it != observations.values.end() && it->second.finite() > 0 && it->second.min == 0 &&
         it->second.max == 0;
}

std::map<std::string, std::string> ranges_of_states(const Graph& graph,
                                                    const Observations& observations) {
  auto pairs = state_pairs(graph);
  std::erase_if(pairs, [&](const auto& pair) {
    const auto output = observations.values.find(pair.second);
    return !is_zero(observations, pair.first) || is_zero(observations, pair.second) ||
           output == observations.values.end() || output->second.finite() == 0;
  });
  return pairs;
}

}  // namespace intaglio
