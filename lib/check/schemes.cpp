#include "lib/check/schemes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/check/pairs.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/fusion.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

// The parameters of a QuantizeLinear or DequantizeLinear, as far as they are constant.
struct Codes {
  DType type = DType::undefined;
  std::vector<float> scales;
  bool zero_is_zero = true;
};

DType type_of(const Node& node) {
  if (const Value* zero = node.input(2))
    return zero->is_constant() ? zero->constant().dtype() : zero->dtype();
  if (node.is("DequantizeLinear"))
    return node.input(0)->is_constant() ? node.input(0)->constant().dtype()
                                        : node.input(0)->dtype();
  const auto asked = static_cast<DType>(node.attr_int("output_dtype", 0));
  return asked == DType::undefined ? DType::u8 : asked;
}

Codes codes_of(const Node& node) {
  Codes codes{type_of(node), {}, true};
  const Value *scale = node.input(1), *zero = node.input(2);
  if (scale != nullptr && scale->is_constant()) codes.scales = scale->constant().to_vector<float>();
  if (zero != nullptr && zero->is_constant())
    codes.zero_is_zero = std::ranges::all_of(zero->constant().to_vector<std::int64_t>(),
                                             [](auto z) { return z == 0; });
  return codes;
}

bool power_of_two(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5f;
}

std::string names(const std::vector<DType>& types) {
  std::string text;
  for (const DType t : types) text += (text.empty() ? "" : " or ") + std::string(name_of(t));
  return text;
}

Violation scales_violation(const Codes& codes, const Target& target, const std::string& what) {
  if (target.power_of_two && !std::ranges::all_of(codes.scales, power_of_two))
    return {fmt::format("{}: its scale is no power of two", what),
            fmt::format("quantize with `target` {}", target.name)};
  return {};
}

// rule: of the operator beside the conversion; null: none.
Violation activation_violation(const Node& conversion, const Target& target, const OpRule* rule,
                               const std::string& what) {
  const Codes codes = codes_of(conversion);
  const auto& types = target.accepts.activations;
  if (rule != nullptr &&
      std::ranges::find(rule->wrong_types, codes.type) != rule->wrong_types.end())
    return {fmt::format("{}: codes of type {}: {}", what, name_of(codes.type), rule->wrong_because),
            fmt::format("quantize with `target` {}", target.name)};
  if (std::find(types.begin(), types.end(), codes.type) == types.end())
    return {fmt::format("{}: codes of type {}, not {}", what, name_of(codes.type), names(types)),
            fmt::format("quantize with `target` {}", target.name)};
  if (codes.scales.size() > 1)
    return {fmt::format("{}: has several scales", what), "use one scale per activation"};
  if (!target.accepts.activation_zero_points && !codes.zero_is_zero)
    return {fmt::format("{}: its zero point is not 0", what),
            "use symmetric activations (`symmetric`)"};
  return scales_violation(codes, target, what);
}

Violation weight_violation(const Node& node, const Node& conversion, const Target& target) {
  const Codes codes = codes_of(conversion);
  const auto& types = target.accepts.weights;
  if (std::find(types.begin(), types.end(), codes.type) == types.end())
    return {fmt::format("weights of type {}, not {}", name_of(codes.type), names(types)),
            fmt::format("use `weights` {}",
                        name_of(target.weights.type).starts_with("u") ? "u8" : "s8")};
  if (!target.accepts.weight_zero_points && !codes.zero_is_zero)
    return {"the zero point of its weights is not 0", "use symmetric weights (`weights s8`)"};
  if (!target.accepts.channel_zero_points && codes.scales.size() > 1 && !codes.zero_is_zero)
    return {"its weights have a scale per channel and zero points that are not 0",
            "use symmetric weights (`weights s8`), or `granularity tensor`"};
  const auto rule = target.ops.find(node.op());
  const bool channels =
      target.accepts.per_channel && (rule == target.ops.end() || rule->second.per_channel);
  if (codes.scales.size() > 1 && !channels)
    return {"its weights have a scale per channel", "use `granularity tensor`"};
  return scales_violation(codes, target, "weights");
}

Violation bias_violation(const Node& node, const Target& target) {
  const Value* bias = node.input(2);
  if (bias == nullptr) return {};
  const bool codes = dequantizer(bias) != nullptr;
  if (codes && !target.accepts.s32_bias)
    return {"its bias is quantized; the target takes float biases",
            fmt::format("quantize with `target` {}", target.name)};
  if (!codes && !target.accepts.float_bias)
    return {"its bias is float; the target takes int32 biases",
            fmt::format("quantize with `target` {}", target.name)};
  return {};
}

bool has_weights(const Node& node) { return traits_of(node).weights == WeightKind::product; }

}  // namespace

bool zero_is_zero(const Node& conversion) { return codes_of(conversion).zero_is_zero; }

bool adds_bias(const Node& node, const Node& conversion) {
  const Value* codes = conversion.input(0);
  return node.is("Add") && codes != nullptr && codes->is_constant() &&
         codes->constant().dtype() == DType::s32;
}

Violation scheme_violation(const Node& node, const Target& target) {
  const OpRule* rule = rule_of(node, target);
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Node* conversion = dequantizer(node.input(i));
    if (conversion == nullptr || (has_weights(node) && i == 2) || dequantizes_table(*conversion))
      continue;
    const bool constant = conversion->input(0) != nullptr && conversion->input(0)->is_constant();
    if (constant && adds_bias(node, *conversion)) continue;
    const bool weight =
        constant && (computes_in_float(node) ||
                     (has_weights(node) && (i == 1 || has_quantized_weights_alone(node))));
    const Violation found =
        weight ? weight_violation(node, *conversion, target)
               : activation_violation(*conversion, target, rule, fmt::format("input {}", i));
    if (found) return found;
  }
  for (const Value* output : node.outputs()) {
    if (output == nullptr) continue;
    for (const Use& use : output->uses())
      if (use.node->is("QuantizeLinear"))
        if (const Violation found = activation_violation(*use.node, target, rule, "its result"))
          return found;
  }
  return has_weights(node) ? bias_violation(node, target) : Violation{};
}

}  // namespace intaglio
