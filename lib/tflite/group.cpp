#include "lib/tflite/group.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/readers.h"

namespace intaglio::tflite {
namespace {

bool is_code(DType type) { return type == DType::s8 || type == DType::u8; }

[[noreturn]] void refuse_codes(const Node& node, const std::string& reason) {
  throw Error(Code::unsupported, fmt::format("TFLite: {}: {}", node.label(), reason),
              "Quantize with `target` tflite-like.");
}

End input_end(const Value* value) {
  if (value == nullptr) return {};
  const Node* maker = value->producer();
  if (maker != nullptr && maker->is("DequantizeLinear"))
    if (auto params = params_of(*maker)) return {maker->input(0), params};
  return {value, is_code(value->dtype()) ? code_params(*value) : std::nullopt};
}

// What a node makes, behind its activation.
End output_end(const Value* value, Group& group, bool fuses) {
  if (value == nullptr) return {};
  if (is_code(value->dtype())) return {value, code_params(*value)};
  const Node* reader = only_reader(value);
  if (fuses && reader != nullptr && (reader->is("Relu") || reader->is("Clip")) &&
      reader->input(0) == value) {
    const Node* next = only_reader(reader->output(0));
    if (next != nullptr && next->is("QuantizeLinear") && next->input(0) == reader->output(0)) {
      group.activation = reader;
      group.taken.insert(reader);
      reader = next;
    }
  }
  if (reader == nullptr || !reader->is("QuantizeLinear") || reader->input(1) == value)
    return {value, std::nullopt};
  group.taken.insert(reader);
  return {reader->output(0), params_of(*reader)};
}

std::string why_float(const Group& group, std::size_t operands) {
  const auto has_params = [](const End& end) { return end.value == nullptr || end.params; };
  if (std::ranges::none_of(group.inputs, [](const End& e) { return e.params.has_value(); }) &&
      std::ranges::none_of(group.outputs, [](const End& e) { return e.params.has_value(); }))
    return "";
  const std::size_t count =
      operands == 0 ? group.inputs.size() : std::min(operands, group.inputs.size());
  for (std::size_t i = 0; i < count; ++i)
    if (!has_params(group.inputs[i]))
      return fmt::format("its input '{}' is not quantized", group.inputs[i].value->name());
  if (!std::ranges::all_of(group.outputs, has_params)) return "its result is read in float";
  return "";
}

}  // namespace

std::optional<QParams> params_of(const Node& node) {
  const Value *scale = node.input(1), *zero = node.input(2), *codes = nullptr;
  codes = node.is("DequantizeLinear") ? node.input(0) : node.output(0);
  if (scale == nullptr || !scale->is_constant() || (zero != nullptr && !zero->is_constant()))
    refuse_codes(node, "its scale or zero point is computed as the model runs");
  const DType type = codes->dtype();
  if (type == DType::s32) return std::nullopt;
  if (!is_code(type) || scale->dtype() != DType::f32)
    refuse_codes(node, fmt::format("codes of type {} with scales of type {}", name_of(type),
                                   name_of(scale->dtype())));
  QParams params{DType::s8, std::nullopt, scale->constant().to_vector<float>(), {}};
  if (zero != nullptr) params.zero_point = zero->constant().to_vector<std::int32_t>();
  params.zero_point.resize(params.scale.size(), 0);
  if (type == DType::u8)
    for (std::int32_t& z : params.zero_point) z -= 128;
  if (params.scale.size() > 1 || (scale->constant().rank() == 1 && codes->is_constant())) {
    params.axis = static_cast<int>(normalized_axis(node.attr_int("axis", 1), codes->rank()));
    if (scale->constant().rank() != 1) refuse_codes(node, "scales of blocks");
    if (std::ranges::any_of(params.zero_point, [](std::int32_t z) { return z != 0; }))
      refuse_codes(node, "weights per channel have zero points");
  }
  if (params.scale.size() == 1) params.axis.reset();
  return params;
}

std::optional<QParams> code_params(const Value& value) {
  const Node* maker = value.producer();
  if (maker != nullptr && maker->is("QuantizeLinear")) return params_of(*maker);
  for (const Use& use : value.uses())
    if (use.node->is("DequantizeLinear") && use.index == 0) return params_of(*use.node);
  if (maker != nullptr && maker->input(0) != nullptr && is_code(maker->input(0)->dtype()))
    return code_params(*maker->input(0));
  return std::nullopt;
}

Interval bounds_of(const Node& activation) {
  if (activation.is("Relu")) return {.lo = 0};
  const auto bounds = clip_bounds(activation);
  if (!bounds)
    throw Error(
        Code::unsupported,
        fmt::format("TFLite: {}: its bounds are computed as the model runs", activation.label()),
        "Export the model with constant bounds.");
  return *bounds;
}

Group group_of(const Node& node, std::size_t operands, bool fuses) {
  Group group;
  group.node = &node;
  for (const Value* value : node.inputs()) group.inputs.push_back(input_end(value));
  for (const Value* value : node.outputs())
    group.outputs.push_back(output_end(value, group, fuses));
  group.why_float = why_float(group, operands);
  group.integer =
      group.why_float.empty() && !group.outputs.empty() &&
      std::ranges::any_of(group.outputs, [](const End& e) { return e.params.has_value(); });
  return group.integer ? group : float_group(node, group.why_float);
}

Group float_group(const Node& node, const std::string& why) {
  Group group;
  group.node = &node;
  group.why_float = why;
  for (const Value* value : node.inputs()) group.inputs.push_back({value, {}});
  for (const Value* value : node.outputs()) group.outputs.push_back({value, {}});
  return group;
}

}  // namespace intaglio::tflite
