#include "lib/quant/range_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"

namespace intaglio {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Where the reader's output depends on its input.
Interval active_range(const Node& reader, std::size_t bits) {
  const auto active = traits_of(reader).active;
  return active != nullptr ? active(reader, bits) : Interval{};
}

// What alone reads the value, or what MaxPool makes of it; null: there are several readers, or
// none.
const Node* reader_behind_pools(const Value& value) {
  const Node* reader = only_reader(&value);
  while (reader != nullptr && reader->is("MaxPool")) reader = only_reader(reader->output(0));
  return reader;
}

}  // namespace

Bound bound_of_producer(const Value& value) {
  const Node* producer = value.producer();
  if (producer == nullptr) return {};
  const auto result = traits_of(*producer).result;
  const Interval made = result != nullptr ? result(*producer) : Interval{};
  return {made.lo, made.hi, fmt::format("known range of {}", producer->op())};
}

Bound bound_of_readers(const Value& value, std::size_t bits) {
  if (value.is_output() || value.uses().empty()) return {};
  Bound joined{infinity, -infinity, ""};
  for (const Use& use : value.uses()) {
    const Interval active = use.index == 0 ? active_range(*use.node, bits) : Interval{};
    joined.lo = std::min(joined.lo, active.lo);
    joined.hi = std::max(joined.hi, active.hi);
  }
  joined.rule = fmt::format("bounded by its reader {}", value.uses().front().node->op());
  return joined;
}

bool only_pooled(const Value& value) {
  return !value.is_output() && !value.uses().empty() &&
         std::ranges::all_of(value.uses(), [](const Use& use) { return use.node->is("MaxPool"); });
}

double slope_of_readers(const Value& value) {
  const Node* reader = reader_behind_pools(value);
  const auto slope = reader != nullptr ? traits_of(*reader).slope_below_zero : nullptr;
  return slope != nullptr ? std::min(std::abs(static_cast<double>(slope(*reader))), 1.0) : 1;
}

Range within(const Range& range, const Bound& bound, std::vector<std::string>& notes) {
  const Range cut{std::max(range.lo, std::min(bound.lo, 0.0f)),
                  std::min(range.hi, std::max(bound.hi, 0.0f))};
  if (cut == range) return range;
  notes.push_back(bound.rule);
  if (cut.lo > cut.hi) return {0, 0};  // all of it lies beyond
  return cut;
}

std::unordered_set<std::string> scores(const Graph& graph) {
  std::unordered_set<std::string> names;
  std::vector<const Value*> open(graph.outputs().begin(), graph.outputs().end());
  while (!open.empty()) {
    const Value* value = open.back();
    open.pop_back();
    if (value == nullptr || !names.insert(value->name()).second) continue;
    const Node* producer = value->producer();
    if (producer == nullptr || !traits_of(*producer).keeps_scores) continue;
    const std::size_t data_inputs = traits_of(*producer).joins ? producer->inputs().size() : 1;
    for (std::size_t i = 0; i < data_inputs; ++i) open.push_back(producer->input(i));
  }
  return names;
}

}  // namespace intaglio
