// Attributes that became inputs, so that they may be computed.

#include <array>
#include <limits>

#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

bool axes_to_input(Node& node) { return ints_to_input(node, "axes", 1); }

bool topk_count(Node& node) {
  const Tensor k = Tensor::of<std::int64_t>({1}, {node.attr_int("k")});
  node.graph().set_input(node, 1, &constant_beside(node, "k", k));
  return drop_attrs(node, {"k"});
}

bool slice_inputs(Node& node) {
  if (!node.has("starts")) return false;
  ints_to_input(node, "starts", 1);
  ints_to_input(node, "ends", 2);
  ints_to_input(node, "axes", 3);
  return true;
}

bool reshape_target(Node& node) { return ints_to_input(node, "shape", 1); }

Tensor scalar_like(const Node& node, float value) {
  return node.needed_input(0)->dtype() == DType::f64 ? Tensor::scalar<double>(value)
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

bool dft_axis(Node& node) {
  const std::int64_t axis = node.attr_int("axis", 1);
  node.graph().set_input(node, 2, &constant_beside(node, "axis", Tensor::scalar(axis)));
  drop_attrs(node, {"axis"});
  return true;
}

constexpr std::array rules = {
    OpsetRule{"Reshape", 5, reshape_target},
    OpsetRule{"Slice", 10, slice_inputs},
    OpsetRule{"TopK", 10, topk_count},
    OpsetRule{"Clip", 11, clip_bounds},
    OpsetRule{"Pad", 11, pad_inputs},
    OpsetRule{"ReduceSum", 13, axes_to_input},
    OpsetRule{"Split", 13, split_lengths},
    OpsetRule{"Squeeze", 13, axes_to_input},
    OpsetRule{"Unsqueeze", 13, axes_to_input},
    OpsetRule{"ReduceL1", 18, axes_to_input},
    OpsetRule{"ReduceL2", 18, axes_to_input},
    OpsetRule{"ReduceLogSum", 18, axes_to_input},
    OpsetRule{"ReduceLogSumExp", 18, axes_to_input},
    OpsetRule{"ReduceMax", 18, axes_to_input},
    OpsetRule{"ReduceMean", 18, axes_to_input},
    OpsetRule{"ReduceMin", 18, axes_to_input},
    OpsetRule{"ReduceProd", 18, axes_to_input},
    OpsetRule{"ReduceSumSquare", 18, axes_to_input},
    OpsetRule{"Split", 18, split_count},
    OpsetRule{"DFT", 20, dft_axis},
};

}  // namespace

std::span<const OpsetRule> input_rules() { return rules; }

}  // namespace intaglio
