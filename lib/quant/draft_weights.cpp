#include <fmt/format.h>

#include "lib/graph/op_traits.h"
#include "lib/quant/draft.h"
#include "lib/quant/filter.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

std::string why_none(const Node& node) {
  switch (traits_of(node).weights) {
    case WeightKind::none:
      return "has no weights";
    case WeightKind::table:
      return "looks up no constant float32 table of 1024 elements or more";
    case WeightKind::product:
    case WeightKind::gates:
      return "its weights are no float32 constants";
  }
  return {};
}

NodePlan node_plan(const Node& node, const Target& target, const NodeFilter& filter) {
  NodePlan plan{node.name(), node.op(), first_output(node) ? first_output(node)->name() : "",
                false,       "",        {},
                {}};
  if (const auto reason = filter.refuse(node)) {
    plan.reason = *reason;
    return plan;
  }
  for (const WeightInput& weight : weight_inputs(node)) {
    Scheme scheme = target.weights;
    scheme.axis = target.per_channel && !is_float(scheme.type) ? weight.axis : std::nullopt;
    plan.constants.push_back({weight.input, node.input(weight.input)->name(), scheme, {}, {}});
  }
  plan.quantized = !plan.constants.empty();
  if (!plan.quantized) plan.reason = why_none(node);
  return plan;
}

}  // namespace

Plan draft_weights(const Graph& graph, const Target& target, const Selection& selection) {
  const auto nodes = graph.nodes();
  const NodeFilter filter(nodes, selection);
  Plan plan;
  plan.target = target.name;
  for (const Node* node : nodes) plan.nodes.push_back(node_plan(*node, target, filter));
  return plan;
}

}  // namespace intaglio
