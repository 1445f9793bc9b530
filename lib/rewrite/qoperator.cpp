#include "lib/rewrite/qoperator.h"

#include <fmt/format.h>

#include "lib/graph/op_traits.h"
#include "lib/rewrite/dynamic.h"
#include "lib/rewrite/dynamic_lstm.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

void require_bytes(const Scheme& scheme, const char* what) {
  if (scheme.type == DType::u8 || scheme.type == DType::s8) return;
  throw Error(Code::config,
              fmt::format("`format qoperator`: {} of type {}: operators on codes take 8 bits", what,
                          name_of(scheme.type)),
              "Use u8 or s8, or `format qdq`.");
}

// An LSTM computes on codes by an operator of its own, which quantizes its data as it runs.
void write_recurrent(const Graph& graph, NodePlan& plan) {
  if (!plan.quantized || plan.op != "LSTM") return;
  Node& node = planned_node(graph, plan);
  if (!float_arithmetic(node, plan, /*microsoft=*/true).empty()) return;
  write_dynamic_lstm(node, plan);
  plan.quantized = false;  // nothing is left to do
}

}  // namespace

Target qoperator_target(Target target) {
  require_bytes(target.activations, "activations");
  require_bytes(target.weights, "weights");
  for (auto& [op, rule] : target.ops)
    if (const OpTraits* traits = find_traits(op);
        rule.role == Role::activation && (traits == nullptr || !traits->clips)) {
      rule.fuses_into.clear();
      rule.float_products = 0;
    }
  return target;
}

QOperatorResult write_qoperator(Model& model, const Plan& plan, bool microsoft_operators,
                                bool floats_kept) {
  QOperatorResult result;
  Plan rest = plan;
  if (microsoft_operators)
    for (NodePlan& node : rest.nodes) write_recurrent(model.graph(), node);
  for (const auto& [activation, dequantized] : write_qdq(model, rest, {.floats_kept = floats_kept}))
    result.codes[activation] = model.graph().find(dequantized)->producer()->input(0)->name();
  result.decisions = qdq_to_qoperator(model, microsoft_operators);
  return result;
}

std::vector<IntegerDecision> qdq_to_qoperator(Model& model, bool microsoft_operators) {
  return fuse_integers(model, {.signed_activations = true,
                               .microsoft = microsoft_operators,
                               .clip_codes = true,
                               .float_weights = false,
                               .joins_bias = false,
                               .fold_weights = false})
      .nodes;
}

std::map<std::string, std::string> dequantize_codes(
    Graph& graph, const Plan& plan, const std::map<std::string, std::string>& codes) {
  std::map<std::string, std::string> values;
  for (const ActivationPlan& activation : plan.activations) {
    const auto it = codes.find(activation.name);
    Value* value = it != codes.end() ? graph.find(it->second) : nullptr;
    if (value == nullptr) continue;
    const QParams& params = activation.params;
    Value& scale =
        graph.add_constant(activation.name + "_scale", Tensor::scalar<float>(params.scale.front()));
    Value& zero = graph.add_constant(
        activation.name + "_zero_point",
        convert(Tensor::scalar<std::int32_t>(params.zero_point.front()), params.type));
    Value& real = graph.add_value(activation.name + "_dequantized", DType::f32, value->dims());
    graph.add_node("DequantizeLinear", activation.name + "_DequantizeLinear",
                   {value, &scale, &zero}, {&real});
    values[activation.name] = real.name();
  }
  return values;
}

}  // namespace intaglio
