#include "lib/quant/draft_float16.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/float16_operands.h"
#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

const Node* node_of(const Graph& graph, const NodePlan& plan) {
  const Value* output = graph.find(plan.output);
  return output != nullptr ? output->producer() : nullptr;
}

bool holds_float(const Node& node) {
  const auto is_f32 = [](const Value* v) { return v != nullptr && v->dtype() == DType::f32; };
  return std::ranges::any_of(node.inputs(), is_f32) || std::ranges::any_of(node.outputs(), is_f32);
}

std::string beyond_constant(const std::vector<const Value*>& values) {
  for (const Value* value : values)
    if (value->is_constant() && half_loss(value->constant(), DType::f16).beyond > 0)
      return fmt::format("its constant '{}' reaches beyond float16", value->name());
  return {};
}

// Why the node stays float32; empty: it does not.
std::string obstacle(const Graph& graph, const Node& node, const NodePlan& plan,
                     const Target& target) {
  if (!node.nested_graphs().empty()) return "runs nested graphs";
  if (const auto it = target.float16->find(node.op()); it != target.float16->end())
    return it->second;
  for (const auto& side : {node.inputs(), node.outputs()})
    for (const Value* value : side)
      if (value != nullptr && value->dtype() == DType::undefined)
        return fmt::format("the type of '{}' is not known before the run", value->name());
  const std::vector<const Value*> values = float16_values(graph, plan);
  if (values.empty())
    return fmt::format("ONNX has no float16 form of {}, or none of its inputs is float", node.op());
  return beyond_constant(values);
}

}  // namespace

std::vector<const Value*> float16_values(const Graph& graph, const NodePlan& plan) {
  std::vector<const Value*> values;
  const Node* node = node_of(graph, plan);
  if (node == nullptr) return values;
  const Float16Operands places = float16_operands(*node);
  for (std::size_t i = 0; i < places.inputs.size(); ++i)
    if (places.inputs[i]) values.push_back(node->input(i));
  for (std::size_t i = 0; i < places.outputs.size(); ++i)
    if (places.outputs[i]) values.push_back(node->output(i));
  return values;
}

void draft_float16(Plan& plan, const Graph& graph, const Target& target, bool weights_alone) {
  for (NodePlan& entry : plan.nodes) {
    const Node* node = node_of(graph, entry);
    if (node == nullptr || (entry.quantized && !weights_alone) || !holds_float(*node)) continue;
    const std::string reason = obstacle(graph, *node, entry, target);
    entry.precision = Precision{reason.empty() ? DType::f16 : DType::f32, reason};
  }
}

void keep_within_float16(Plan& plan, const Graph& graph,
                         const std::function<std::optional<float>(std::string_view)>& reached) {
  const float limit = half_range(DType::f16).hi / 2;
  for (NodePlan& entry : plan.nodes) {
    if (!computes_in_float16(entry)) continue;
    const std::vector<const Value*> values = float16_values(graph, entry);
    std::string reason = beyond_constant(values);  // refinement may have changed it
    for (const Value* value : values) {
      const auto most = value->is_constant() ? std::nullopt : reached(value->name());
      if (reason.empty() && most && *most > limit)
        reason = fmt::format("'{}' reaches {} on the data; float16 ends at {}", value->name(),
                             *most, half_range(DType::f16).hi);
    }
    if (!reason.empty()) entry.precision = Precision{DType::f32, reason};
  }
}

}  // namespace intaglio
