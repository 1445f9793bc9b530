#include "lib/passes/opset_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace intaglio {

void refuse(const Node& node, std::string_view reason) {
  throw Error(Code::unsupported,
              fmt::format("{}: opset {} cannot be raised: {}", node.label(), node.opset(), reason),
              "Export the model again with opset 13 or later.");
}

bool drop_attrs(Node& node, std::initializer_list<std::string_view> attrs) {
  bool changed = false;
  for (const std::string_view attr : attrs) {
    changed |= node.has(attr);
    node.erase_attr(attr);
  }
  return changed;
}

Value& constant_beside(const Node& node, std::string_view suffix, Tensor tensor) {
  return node.graph().add_constant(fmt::format("{}_{}", node.output(0)->name(), suffix),
                                   std::move(tensor));
}

std::optional<Tensor> known_value(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_constant()) return value->constant();
  const Node* node = value->producer();
  if (node == nullptr || !node->is("Constant") || !node->has("value")) return std::nullopt;
  return node->attr_tensor("value");
}

bool ints_to_input(Node& node, std::string_view attr, std::size_t i) {
  if (!node.has(attr)) return false;
  const bool single = attr == "k" || attr == "axis";
  const auto values = single ? std::vector{node.attr_int(attr)} : node.attr_ints(attr);
  node.graph().set_input(node, i, &constant_beside(node, attr, Tensor::vector(values)));
  node.erase_attr(attr);
  return true;
}

namespace {

bool is_read(const Value* value) {
  return value != nullptr && (value->is_output() || !value->uses().empty());
}

bool no_consumed_inputs(Node& node) { return drop_attrs(node, {"consumed_inputs"}); }

bool removed(Node& node) { refuse(node, "the operator was withdrawn"); }

template <std::size_t input>
bool axes_to_input(Node& node) {
  return ints_to_input(node, "axes", input);
}

bool pooling_order(Node& node) {  // GlobalLpPool, LpPool: p was a float
  if (!node.has("p")) return false;
  node.set_attr("p", static_cast<std::int64_t>(node.attr_float("p")));
  return true;
}

bool paddings_renamed(Node& node) {
  node.set_attr("pads", node.attr_ints("paddings"));
  return drop_attrs(node, {"paddings"});
}

bool concat_axis(Node& node) {  // had the default 1
  if (node.has("axis")) return false;
  node.set_attr("axis", std::int64_t{1});
  return true;
}

bool cast_type_number(Node& node) {
  std::string name = node.attr_string("to");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const DType type = dtype_named(name);
  if (type == DType::undefined) refuse(node, "casts to the unknown type " + name);
  node.set_attr("to", static_cast<std::int64_t>(type));
  return true;
}

bool selu_constants(Node& node) {  // the defaults got more digits
  if (node.has("alpha") && node.has("gamma")) return false;
  node.set_attr("alpha", node.attr_float("alpha", 1.6732f));
  node.set_attr("gamma", node.attr_float("gamma", 1.0507f));
  return true;
}

bool batchnorm_is_test(Node& node) {
  if (node.attr_int("is_test", 0) == 0 && is_read(node.output(1)))
    refuse(node, "it is in training mode and its statistics are used");
  return drop_attrs(node, {"is_test"});
}

bool batchnorm_spatial(Node& node) {
  if (node.attr_int("spatial", 1) == 0) refuse(node, "spatial=0 has no equivalent");
  return drop_attrs(node, {"spatial"});
}

bool batchnorm_outputs(Node& node) {
  if (node.outputs().size() > 1) refuse(node, "it has the outputs of a training run");
  return false;
}

bool dropout_mask_type(Node& node) {
  if (is_read(node.output(1))) refuse(node, "its mask, a float then, is used");
  return false;
}

bool dropout_inputs(Node& node) { return drop_attrs(node, {"ratio", "is_test"}); }

bool recurrent_outputs(Node& node) { return drop_attrs(node, {"output_sequence"}); }

bool scan_without_batch(Node& node) { refuse(node, "Scan of opset 8 has a batch axis of its own"); }

bool topk_count(Node& node) { return ints_to_input(node, "k", 1); }

bool slice_inputs(Node& node) {
  if (!node.has("starts")) return false;
  ints_to_input(node, "starts", 1);
  ints_to_input(node, "ends", 2);
  ints_to_input(node, "axes", 3);
  return true;
}

bool reshape_target(Node& node) { return ints_to_input(node, "shape", 1); }

bool scatter_renamed(Node& node) {
  node.set_op("ScatterElements");
  return true;
}

Tensor scalar_like(const Node& node, float value) {
  return node.input(0)->dtype() == DType::f64 ? Tensor::scalar<double>(value)
                                              : Tensor::scalar(value);
}

bool clip_bounds(Node& node) {
  constexpr float lowest = std::numeric_limits<float>::lowest(), highest = -lowest;
  const float min = node.attr_float("min", lowest), max = node.attr_float("max", highest);
  const bool changed = drop_attrs(node, {"min", "max"});
  if (min != lowest)
    node.graph().set_input(node, 1, &constant_beside(node, "min", scalar_like(node, min)));
  if (max != highest)
    node.graph().set_input(node, 2, &constant_beside(node, "max", scalar_like(node, max)));
  return changed;
}

bool pad_inputs(Node& node) {
  const bool changed = ints_to_input(node, "pads", 1);
  if (const float value = node.attr_float("value", 0); value != 0)
    node.graph().set_input(node, 2, &constant_beside(node, "value", scalar_like(node, value)));
  return drop_attrs(node, {"value"}) || changed;
}

bool split_lengths(Node& node) { return ints_to_input(node, "split", 1); }

bool split_count(Node& node) {
  if (node.input(1) != nullptr || node.has("num_outputs")) return false;
  node.set_attr("num_outputs", static_cast<std::int64_t>(node.outputs().size()));
  return true;
}

bool roi_align_corner(Node& node) {  // what was the only way is no longer the default
  if (node.has("coordinate_transformation_mode")) return false;
  node.set_attr("coordinate_transformation_mode", std::string_view("output_half_pixel"));
  return true;
}

bool grid_sample_modes(Node& node) {
  const std::string mode = node.attr_string("mode", "bilinear");
  if (mode == "bilinear") node.set_attr("mode", std::string_view("linear"));
  if (mode == "bicubic") node.set_attr("mode", std::string_view("cubic"));
  return mode != "nearest";
}

bool dft_axis(Node& node) {
  const std::int64_t axis = node.attr_int("axis", 1);
  node.graph().set_input(node, 2, &constant_beside(node, "axis", Tensor::scalar(axis)));
  drop_attrs(node, {"axis"});
  return true;
}

bool group_norm_channels(Node& node) { refuse(node, "its scale was per group, not per channel"); }

// One line per change. "BatchNormalization", 14: what it lists is what opset 13 -> 14 changed.
constexpr std::array rules = {
    OpsetRule{"GlobalLpPool", 2, pooling_order},
    OpsetRule{"LpPool", 2, pooling_order},
    OpsetRule{"Pad", 2, paddings_renamed},
    OpsetRule{"Concat", 4, concat_axis},
    OpsetRule{"Reshape", 5, reshape_target},
    OpsetRule{"", 6, no_consumed_inputs},
    OpsetRule{"Cast", 6, cast_type_number},
    OpsetRule{"Selu", 6, selu_constants},
    OpsetRule{"Tile", 6, split_tile},
    OpsetRule{"Add", 7, align_second_operand},
    OpsetRule{"And", 7, align_second_operand},
    OpsetRule{"Div", 7, align_second_operand},
    OpsetRule{"Equal", 7, align_second_operand},
    OpsetRule{"Greater", 7, align_second_operand},
    OpsetRule{"Less", 7, align_second_operand},
    OpsetRule{"Mul", 7, align_second_operand},
    OpsetRule{"Or", 7, align_second_operand},
    OpsetRule{"Pow", 7, align_second_operand},
    OpsetRule{"Sub", 7, align_second_operand},
    OpsetRule{"Xor", 7, align_second_operand},
    OpsetRule{"Gemm", 7, align_second_operand},
    OpsetRule{"PRelu", 7, align_slope},
    OpsetRule{"BatchNormalization", 7, batchnorm_is_test},
    OpsetRule{"GRU", 7, recurrent_outputs},
    OpsetRule{"LSTM", 7, recurrent_outputs},
    OpsetRule{"RNN", 7, recurrent_outputs},
    OpsetRule{"BatchNormalization", 9, batchnorm_spatial},
    OpsetRule{"Scan", 9, scan_without_batch},
    OpsetRule{"Upsample", 9, upsample_scales},
    OpsetRule{"Affine", 10, removed},
    OpsetRule{"ATen", 10, removed},
    OpsetRule{"Crop", 10, removed},
    OpsetRule{"DynamicSlice", 10, removed},
    OpsetRule{"GivenTensorFill", 10, removed},
    OpsetRule{"GRUUnit", 10, removed},
    OpsetRule{"ImageScaler", 10, removed},
    OpsetRule{"ParametricSoftplus", 10, removed},
    OpsetRule{"Scale", 10, removed},
    OpsetRule{"ScaledTanh", 10, removed},
    OpsetRule{"Dropout", 10, dropout_mask_type},
    OpsetRule{"Slice", 10, slice_inputs},
    OpsetRule{"TopK", 10, topk_count},
    OpsetRule{"Upsample", 10, upsample_to_resize},
    OpsetRule{"Clip", 11, clip_bounds},
    OpsetRule{"Pad", 11, pad_inputs},
    OpsetRule{"Resize", 11, resize_coordinates},
    OpsetRule{"Scatter", 11, scatter_renamed},
    OpsetRule{"Dropout", 12, dropout_inputs},
    OpsetRule{"Hardmax", 13, single_axis_softmax},
    OpsetRule{"LogSoftmax", 13, single_axis_softmax},
    OpsetRule{"ReduceSum", 13, axes_to_input<1>},
    OpsetRule{"Resize", 13, resize_empty_inputs},
    OpsetRule{"Softmax", 13, single_axis_softmax},
    OpsetRule{"Split", 13, split_lengths},
    OpsetRule{"Squeeze", 13, axes_to_input<1>},
    OpsetRule{"Unsqueeze", 13, axes_to_input<1>},
    OpsetRule{"BatchNormalization", 14, batchnorm_outputs},
    OpsetRule{"RoiAlign", 16, roi_align_corner},
    OpsetRule{"ReduceL1", 18, axes_to_input<1>},
    OpsetRule{"ReduceL2", 18, axes_to_input<1>},
    OpsetRule{"ReduceLogSum", 18, axes_to_input<1>},
    OpsetRule{"ReduceLogSumExp", 18, axes_to_input<1>},
    OpsetRule{"ReduceMax", 18, axes_to_input<1>},
    OpsetRule{"ReduceMean", 18, axes_to_input<1>},
    OpsetRule{"ReduceMin", 18, axes_to_input<1>},
    OpsetRule{"ReduceProd", 18, axes_to_input<1>},
    OpsetRule{"ReduceSumSquare", 18, axes_to_input<1>},
    OpsetRule{"Split", 18, split_count},
    OpsetRule{"DFT", 20, dft_axis},
    OpsetRule{"GridSample", 20, grid_sample_modes},
    OpsetRule{"GroupNormalization", 21, group_norm_channels},
};

}  // namespace

std::span<const OpsetRule> opset_rules() { return rules; }

}  // namespace intaglio
