#include "lib/quant/obstacle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/quant/fusion.h"
#include "lib/quant/kernel_limits.h"
#include "lib/quant/plan.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

// An infinity has no code: it masks, which floats alone can do.
std::optional<std::string> constant_obstacle(const Node& node) {
  for (const Value* input : node.inputs()) {
    if (!is_f32(input) || !input->is_constant()) continue;
    if (!std::ranges::all_of(input->constant().data<float>(),
                             [](float v) { return std::isfinite(v); }))
      return fmt::format("its constant '{}' holds infinities or NaN, which have no codes",
                         input->name());
  }
  return std::nullopt;
}

std::optional<std::string> weights_obstacle(const Node& node) {
  if (!is_f32(node.input(0))) return "its input is not float32";
  if (weight_inputs(node).empty()) return "its weights are no float32 constants";
  return std::nullopt;
}

std::optional<std::string> compute_obstacle(const Node& node, const OpRule& rule) {
  const Value* weight = node.input(1);
  if (!is_f32(weight)) return "its weight is not float32";
  if (node.is("MatMul")) {
    const bool alone = !weight->is_constant() && !node.input(0)->is_constant();
    if (alone && !rule.without_weights.empty()) return rule.without_weights;
    return std::nullopt;  // two activations will do
  }
  if (!weight->is_constant()) return "its weight is computed while the model runs";
  if (node.input(0)->is_constant()) return "its data is a constant";
  if (node.is("Gemm") && (node.attr_float("alpha", 1) != 1 || node.attr_float("beta", 1) != 1))
    return "alpha or beta is not 1";
  return std::nullopt;
}

}  // namespace

bool leaves_rule(const Node& node, const OpRule& rule) {
  const Value* made = first_output(node);
  return !rule.left_float.empty() && (rule.float_output || made == nullptr || !made->is_output());
}

std::optional<std::string> obstacle_of(const Node& node, const Target& target) {
  const OpRule* rule = rule_of(node, target);
  if (!node.nested_graphs().empty()) return "runs nested graphs, which stay float";
  if (rule != nullptr && rule->role == Role::weights) return weights_obstacle(node);
  const Value* made = first_output(node);
  if (made == nullptr) return "makes nothing";
  if (!is_f32(made))
    return made->dtype() != DType::undefined
               ? fmt::format("computes on {}: nothing to quantize", name_of(made->dtype()))
               : "the type of its result is not known before the run";
  if (rule == nullptr)
    return fmt::format("target '{}' does not quantize {}", target.name, node.op());
  if (!is_f32(node.input(0))) return "its input is not float32";
  if (leaves_rule(node, *rule)) return rule->left_float;
  if (auto fault = kernel_fault(node, target.engine)) return fault;
  if (auto slow = slow_kernel(node, target.engine)) return slow;
  if (rule->role == Role::compute) return compute_obstacle(node, *rule);
  return constant_obstacle(node);
}

}  // namespace intaglio
