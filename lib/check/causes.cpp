#include "lib/check/causes.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/check/pairs.h"
#include "lib/check/schemes.h"
#include "lib/quant/fusion.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {

std::string left_float(const Node& node, const Target& target) {
  const OpRule* rule = rule_of(node, target);
  const Value *data = node.input(0), *weights = node.input(1);
  if (rule == nullptr || rule->role != Role::compute || data == nullptr || weights == nullptr)
    return "";
  const auto is_float = [](const Value* v) { return v->dtype() == DType::f32; };
  if (weights->is_constant() && is_float(weights)) return "its weights are float";
  const Node* dequantize = dequantizer(weights);
  if (dequantize != nullptr && dequantize->input(0)->is_constant()) return "";
  if (data->is_constant() && is_float(data)) return "its data is a float constant";
  const bool computed = weights->producer() != nullptr && dequantize == nullptr;
  if (!node.is("MatMul") && computed && is_float(weights) && half_weights(node) == DType::undefined)
    return "its weights are computed in float";
  return "";
}

bool in_small_product(const Node& node, const Target& target) {
  const Node* producer = fused_producer(node, target);
  const Value* pooled = node.is("MaxPool") ? node.input(0) : nullptr;
  if (producer == nullptr) producer = pooled != nullptr ? pooled->producer() : &node;
  const Node* activation = producer != nullptr ? fused_activation(*producer, target) : nullptr;
  return activation != nullptr && fused_in_float(*producer, *activation, target);
}

bool adds_product_bias(const Node& node) {
  return std::ranges::any_of(node.inputs(), [&](const Value* input) {
    const Node* conversion = dequantizer(input);
    return conversion != nullptr && adds_bias(node, *conversion);
  });
}

bool on_codes(const Node* producer) {
  return producer != nullptr && touches_codes(*producer) && !has_quantized_weights_alone(*producer);
}

bool reads_what_is_float(const Node& node, const OpRule& rule) {
  return std::ranges::any_of(node.inputs(), [&](const Value* v) {
    const Node* maker = v != nullptr ? v->producer() : nullptr;
    if (maker != nullptr && maker->is("Max") && maker->inputs().size() == 1) return true;
    if (v == nullptr || rule.role == Role::compute) return false;
    return v->is_constant() ? v->dtype() == DType::f32 : maker != nullptr && !is_conversion(*maker);
  });
}

bool reads_wide_codes(const Node& node) {
  return std::ranges::any_of(node.inputs(), [](const Value* v) {
    const Node* conversion = dequantizer(v);
    const Value* zero = conversion != nullptr ? conversion->input(2) : nullptr;
    return zero != nullptr && is_wide(zero->dtype());
  });
}

bool reads_table(const Node& node) {
  return std::ranges::any_of(node.inputs(), [](const Value* v) {
    const Node* conversion = dequantizer(v);
    return conversion != nullptr && dequantizes_table(*conversion);
  });
}

std::string remedy_for(const Node& node, Why why) {
  switch (why) {
    case Why::input_float:
      return "put a QuantizeLinear - DequantizeLinear pair on that input, or quantize what makes "
             "it";
    case Why::scales_differ:
      return "give its input and result one scale and zero point";
    case Why::beyond_bounds:
      return "use asymmetric activations, and a range that ends at the bounds";
    case Why::result_float:
      return "put a QuantizeLinear - DequantizeLinear pair on its result";
    case Why::signed_data:
      return "use `activations u8`";
    case Why::bias:
      return "give its bias the scale of input times weight";
    case Why::none:
    case Why::no_form:
    case Why::other:
      break;
  }
  return fmt::format("quantize {} as this tool does for the target", node.op());
}

}  // namespace intaglio
