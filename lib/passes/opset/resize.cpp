// Upsample and the first Resize: which input element an output element was taken from was left open
// by the specification; the tests of the onnx project and all runtimes agreed on x_in = x_out /
// scale, rounded down when enlarging and up when shrinking.

#include <array>

#include "lib/base/log.h"
#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

// Opset 1: height_scale and width_scale of an image; opset 7: scales; both become input 1.
bool upsample_scales(Node& node) {
  auto scales = node.attr_floats("scales");
  if (!node.has("scales"))
    scales = {1, 1, node.attr_float("height_scale"), node.attr_float("width_scale")};
  if (node.attr_string("mode", "nearest") == "bilinear")
    node.set_attr("mode", std::string_view("linear"));
  drop_attrs(node, {"scales", "height_scale", "width_scale"});
  node.graph().set_input(node, 1, &constant_beside(node, "scales", Tensor::vector(scales)));
  return true;
}

bool upsample_to_resize(Node& node) {
  node.set_op("Resize");
  return true;
}

bool resize_coordinates(Node& node) {
  const std::string mode = node.attr_string("mode", "nearest");
  node.set_attr("coordinate_transformation_mode", std::string_view("asymmetric"));
  if (mode == "nearest") {
    bool shrinks = false, enlarges = false;
    if (const Tensor known = known_value(node.needed_input(1)); known.defined()) {
      for (const double scale : known.to_vector<double>()) {
        shrinks |= scale < 1;
        enlarges |= scale > 1;
      }
    } else {
      log::warn("{}: its scales are computed; taken to enlarge, as no rounding fits both ways",
                node.label());
    }
    if (shrinks && enlarges) refuse(node, "it shrinks one axis and enlarges another");
    node.set_attr("nearest_mode", std::string_view(shrinks ? "ceil" : "floor"));
  }
  Graph& graph = node.graph();
  graph.set_input(node, 2, node.input(1));
  graph.set_input(node, 1, nullptr);  // no region of interest
  return true;
}

// An empty tensor stood for "not given".
bool resize_empty_inputs(Node& node) {
  if (node.attr_string("coordinate_transformation_mode", "half_pixel") == "tf_half_pixel_for_nn")
    refuse(node, "coordinate_transformation_mode tf_half_pixel_for_nn was withdrawn");
  bool changed = false;
  for (const std::size_t i : {1, 2}) {
    const Tensor known = known_value(node.input(i));
    if (!known.defined() || known.size() != 0) continue;
    node.graph().set_input(node, i, nullptr);
    changed = true;
  }
  return changed;
}

constexpr std::array rules = {
    OpsetRule{"Upsample", 9, upsample_scales},
    OpsetRule{"Upsample", 10, upsample_to_resize},
    OpsetRule{"Resize", 11, resize_coordinates},
    OpsetRule{"Resize", 13, resize_empty_inputs},
};

}  // namespace

std::span<const OpsetRule> resize_rules() { return rules; }

}  // namespace intaglio
