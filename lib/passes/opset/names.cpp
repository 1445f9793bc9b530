// Operators and attributes that were renamed, retyped or withdrawn, and defaults that changed.

#include <algorithm>
#include <array>
#include <cctype>

#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

bool is_read(const Value* value) {
  return value != nullptr && (value->is_output() || !value->uses().empty());
}

bool no_consumed_inputs(Node& node) { return drop_attrs(node, {"consumed_inputs"}); }

bool removed(Node& node) { refuse(node, "the operator was withdrawn"); }

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

bool scatter_renamed(Node& node) {
  node.set_op("ScatterElements");
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

bool group_norm_channels(Node& node) { refuse(node, "its scale was per group, not per channel"); }

constexpr std::array rules = {
    OpsetRule{"GlobalLpPool", 2, pooling_order},
    OpsetRule{"LpPool", 2, pooling_order},
    OpsetRule{"Pad", 2, paddings_renamed},
    OpsetRule{"Concat", 4, concat_axis},
    OpsetRule{"", 6, no_consumed_inputs},
    OpsetRule{"Cast", 6, cast_type_number},
    OpsetRule{"Selu", 6, selu_constants},
    OpsetRule{"BatchNormalization", 7, batchnorm_is_test},
    OpsetRule{"GRU", 7, recurrent_outputs},
    OpsetRule{"LSTM", 7, recurrent_outputs},
    OpsetRule{"RNN", 7, recurrent_outputs},
    OpsetRule{"BatchNormalization", 9, batchnorm_spatial},
    OpsetRule{"Scan", 9, scan_without_batch},
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
    OpsetRule{"Scatter", 11, scatter_renamed},
    OpsetRule{"Dropout", 12, dropout_inputs},
    OpsetRule{"BatchNormalization", 14, batchnorm_outputs},
    OpsetRule{"RoiAlign", 16, roi_align_corner},
    OpsetRule{"GridSample", 20, grid_sample_modes},
    OpsetRule{"GroupNormalization", 21, group_norm_channels},
};

}  // namespace

std::span<const OpsetRule> name_rules() { return rules; }

}  // namespace intaglio
