#include "lib/quant/range_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/graph/ops.h"
#include "lib/graph/readers.h"

namespace intaglio {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Beyond, Sigmoid is within a tenth of a step of 8 bits of 0 and 1, and within one of 16 bits.
float sigmoid_ends(std::size_t bits) { return bits > 8 ? 12.0f : 8.0f; }

// A scalar bound of Clip: its constant, `fallback` when it is omitted, NaN when it is computed.
float clip_bound(const Node& node, std::size_t input, float fallback) {
  const Value* value = node.input(input);
  if (value == nullptr) return fallback;
  if (!value->is_constant() || value->dtype() != DType::f32 || value->constant().size() != 1)
    return std::numeric_limits<float>::quiet_NaN();
  return value->constant().data<float>()[0];
}

Bound clip_range(const Node& node) {
  const float lo = clip_bound(node, 1, -infinity), hi = clip_bound(node, 2, infinity);
  if (std::isnan(lo) || std::isnan(hi) || lo > hi) return {};
  return {lo, hi, ""};
}

// Where the reader's output depends on its input.
Bound active_range(const Node& reader, std::size_t bits) {
  if (reader.is("Relu")) return {0, infinity, ""};
  if (reader.is("Clip")) return clip_range(reader);
  if (reader.is("Sigmoid")) return {-sigmoid_ends(bits), sigmoid_ends(bits), ""};
  if (reader.is("HardSwish")) return {-3, infinity, ""};
  if (reader.is("HardSigmoid")) {
    const float alpha = reader.attr_float("alpha", 0.2f), beta = reader.attr_float("beta", 0.5f);
    if (alpha > 0) return {-beta / alpha, (1 - beta) / alpha, ""};
  }
  return {};
}

bool moves_scores(const Node& node) {
  static constexpr std::array<std::string_view, 12> ops = {
      "Softmax",   "LogSoftmax", "Sigmoid", "Reshape",  "Flatten",           "Squeeze",
      "Unsqueeze", "Transpose",  "Concat",  "Identity", "GlobalAveragePool", "AveragePool"};
  return node.is("ReduceMean") || is_any(node, ops);
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
  Bound bound;
  if (producer->is("Softmax") || producer->is("Sigmoid") || producer->is("HardSigmoid"))
    bound = {0, 1, ""};
  if (producer->is("Tanh")) bound = {-1, 1, ""};
  if (producer->is("Relu")) bound = {0, infinity, ""};
  if (producer->is("Clip")) bound = clip_range(*producer);
  bound.rule = fmt::format("known range of {}", producer->op());
  return bound;
}

Bound bound_of_readers(const Value& value, std::size_t bits) {
  if (value.is_output() || value.uses().empty()) return {};
  Bound joined{infinity, -infinity, ""};
  for (const Use& use : value.uses()) {
    const Bound active = use.index == 0 ? active_range(*use.node, bits) : Bound{};
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

bool moves_values(const Node& node) {
  static constexpr std::array<std::string_view, 16> ops = {
      "MaxPool", "Reshape", "Flatten",      "Transpose",      "Squeeze", "Unsqueeze",
      "Slice",   "Split",   "Gather",       "GatherElements", "Pad",     "Resize",
      "Expand",  "Tile",    "DepthToSpace", "SpaceToDepth"};
  return is_any(node, ops);
}

double slope_of_readers(const Value& value) {
  const Node* reader = reader_behind_pools(value);
  if (reader == nullptr || !reader->is("LeakyRelu")) return 1;
  return std::min(std::abs(static_cast<double>(reader->attr_float("alpha", 0.01f))), 1.0);
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
    if (producer == nullptr || !moves_scores(*producer)) continue;
    const std::size_t data_inputs = producer->is("Concat") ? producer->inputs().size() : 1;
    for (std::size_t i = 0; i < data_inputs; ++i) open.push_back(producer->input(i));
  }
  return names;
}

}  // namespace intaglio
