#include "apps/pipeline/masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lib/exec/samples.h"
#include "lib/graph/token_feeds.h"

namespace intaglio {
namespace {

constexpr std::size_t looked_at = 64;  // samples

// What computes a bias for scores from ones and zeros.
bool computes_with_masks(const Node& node) {
  constexpr std::array<std::string_view, 13> ops = {
      "Cast", "Equal", "Expand",  "Greater", "Less",      "Mul",  "Neg",
      "Not",  "Or",    "Reshape", "Sub",     "Unsqueeze", "Where"};
  return std::ranges::binary_search(ops, node.op());
}

bool feeds_softmax(const Value& value) {
  return std::ranges::any_of(value.uses(), [](const Use& use) {
    return use.node->op() == "Softmax" ||
           (use.node->op() == "Reshape" && use.node->output(0) != nullptr &&
            std::ranges::any_of(use.node->output(0)->uses(),
                                [](const Use& next) { return next.node->op() == "Softmax"; }));
  });
}

bool reaches_softmax(const Value& value, std::set<const Value*>& seen) {
  if (!seen.insert(&value).second) return false;
  return std::ranges::any_of(value.uses(), [&](const Use& use) {
    const Node& node = *use.node;
    const Value* made = node.output(0);
    if (made == nullptr) return false;
    if ((node.op() == "Add" || node.op() == "Where" || node.op() == "Mul") && feeds_softmax(*made))
      return true;
    return (computes_with_masks(node) || node.op() == "Add" || node.op() == "And") &&
           reaches_softmax(*made, seen);
  });
}

// The value that all elements have in all samples; nullopt: they differ, or there is no sample.
std::optional<double> only_value(std::size_t feed, CheckedDataset& data) {
  std::optional<double> only;
  const std::size_t count = std::min(data.size(), looked_at);
  for (std::size_t i = 0; i < count; ++i) {
    const auto feeds = data.load(middle_of_part(i, count, data.size()));
    if (!feeds) continue;
    for (const double v : (*feeds)[feed].to_vector<double>()) {
      if (only && v != *only) return std::nullopt;
      only = v;
    }
  }
  return only;
}

}  // namespace

void warn_of_unmoved_masks(const Graph& graph, CheckedDataset& data,
                           std::vector<std::string>& warnings) {
  const std::vector<Value*> feeds = graph.feeds();
  for (std::size_t f = 0; f < feeds.size(); ++f) {
    std::set<const Value*> seen;
    if (feeds.size() < 2 || feeds[f]->rank() < 2) continue;
    if (!is_named_mask(feeds[f]->name()) && !reaches_softmax(*feeds[f], seen)) continue;
    if (const auto only = only_value(f, data))
      warnings.push_back(
          fmt::format("input '{}' was {:g} in every sample: give padded ones too, or what it masks "
                      "is never seen (docs/transformers.md)",
                      feeds[f]->name(), *only));
  }
}

}  // namespace intaglio
