#include "lib/check/pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/quant/fusion.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

bool all_quantized(const Value* value) {
  return value == nullptr ||
         (!value->is_output() &&
          std::all_of(value->uses().begin(), value->uses().end(),
                      [](const Use& u) { return u.node->is("QuantizeLinear") && u.index == 0; }));
}

std::optional<FloatReason> refuse_results(const Node& node, const Target& target) {
  if (const Node* activation = fused_activation(node, target))
    return refuse_results(*activation, target);
  for (const Value* output : node.outputs())
    if (output != nullptr && output->dtype() == DType::f32 && !all_quantized(output))
      return FloatReason(Why::result_float, output->is_output()
                                                ? "its result leaves the graph in float"
                                                : "its result is read in float");
  return std::nullopt;
}

// What a Cast reads, or the value itself.
const Value* before_cast(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->is("Cast") ? node->input(0) : value;
}

bool is_looked_up(const Value* value) {
  const Node* gather = value != nullptr ? value->producer() : nullptr;
  return gather != nullptr && traits_of(*gather).weights == WeightKind::table &&
         gather->input(0) != nullptr && gather->input(0)->is_constant();
}

}  // namespace

bool makes_codes(const Node& node) {
  return std::ranges::any_of(node.outputs(), [](const Value* v) {
    return v != nullptr && std::ranges::any_of(v->uses(), [](const Use& use) {
             return use.node->is("QuantizeLinear");
           });
  });
}

const Node* dequantizer(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->is("DequantizeLinear") ? node : nullptr;
}

bool dequantizes_table(const Node& conversion) { return is_looked_up(conversion.input(0)); }

bool scales_table(const Node& node) {
  if ((!node.is("Mul") && !node.is("Sub")) || node.input(0) == nullptr) return false;
  const Node* before = node.input(0)->producer();
  if (before == nullptr) return false;
  if (node.is("Mul") && before->is("Sub")) return scales_table(*before);
  if (!before->is("Cast") || !is_looked_up(before->input(0))) return false;
  const DType type = before->input(0)->producer()->input(0)->constant().dtype();
  return type == DType::s8 || type == DType::u8;
}

bool has_quantized_weights_alone(const Node& node) {
  if (computes_in_float(node))  // whatever its data is, and its result becomes
    return std::ranges::any_of(node.inputs(), [](const Value* v) {
      const Node* dq = dequantizer(before_cast(v));
      return dq != nullptr && dq->input(0) != nullptr && dq->input(0)->is_constant();
    });
  bool any = false;
  for (const Value* input : node.inputs()) {
    const Node* dq = dequantizer(before_cast(input));
    if (dq == nullptr) continue;
    if (dq->input(0) == nullptr || !dq->input(0)->is_constant()) return false;
    any = true;
  }
  return any && !makes_codes(node);
}

DType half_weights(const Node& node) {
  for (const Value* input : node.inputs()) {
    const Value* weight = before_cast(input);
    if (weight == nullptr || !weight->is_constant()) continue;
    const DType type = weight->constant().dtype();
    if (is_half(type)) return type;
  }
  return DType::undefined;
}

std::optional<FloatReason> refuse_pairs(const Node& node, const Target& target) {
  const OpRule* rule = rule_of(node, target);
  if (const Node* producer = fused_producer(node, target); producer != nullptr)
    return touches_codes(*producer) ? refuse_pairs(*producer, target)
                                    : FloatReason("the operator it is fused into is not quantized");
  const std::size_t inputs = rule->role == Role::compute ? 2
                             : rule->role == Role::share || rule->role == Role::activation
                                 ? 1
                                 : node.inputs().size();
  for (std::size_t i = 0; i < inputs; ++i) {
    if (node.input(i) == nullptr || node.input(i)->dtype() != DType::f32) continue;
    const Node* conversion = dequantizer(node.input(i));
    if (conversion == nullptr)
      return FloatReason(Why::input_float, fmt::format("input {} is not dequantized", i));
    if (dequantizes_table(*conversion))
      return FloatReason(Why::input_float, fmt::format("input {} is looked up in a table", i));
  }
  return rule->role == Role::compute || rule->float_result ? std::nullopt
                                                           : refuse_results(node, target);
}

}  // namespace intaglio
