// widen_fp16
//   Before: values of type float16 or bfloat16: weights, activations, graph inputs and outputs.
//   After:  the same graph in float: initializers, Constant and ConstantOfShape values are
//           converted, Cast and other nodes that name their output type name float, inputs and
//           outputs change type.
//   Exact for the constants; the activations are no longer rounded to 11 (or 8) bits, so the
//   outputs differ from those of the original by its own rounding errors.

#include <array>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

// Attributes of standard operators that hold an element type.
constexpr std::array type_attrs = {"to", "dtype", "output_datatype", "stash_type"};

int widen_type_attrs(Node& node) {
  int rewrites = 0;
  for (const char* attr : type_attrs) {
    if (!node.domain().empty() || !node.has(attr)) continue;
    if (node.is("Cast") && node.opset() < 6) {  // a string then
      if (node.attr_string(attr) != "FLOAT16") continue;
      node.set_attr(attr, std::string_view("FLOAT"));
    } else {
      if (!is_half(static_cast<DType>(node.attr_int(attr)))) continue;
      node.set_attr(attr, static_cast<std::int64_t>(DType::f32));
    }
    ++rewrites;
  }
  return rewrites;
}

// Tensors in attributes become initializers: Identity (initializer) for Constant, which keeps the
// name of its output, and Expand (initializer to the shape) for ConstantOfShape.
int widen_tensor_attr(Node& node) {
  const bool constant = node.is("Constant"), filled = node.is("ConstantOfShape");
  if ((!constant && !filled) || !node.has("value") || node.output(0) == nullptr) return 0;
  const Tensor value = node.attr_tensor("value");
  if (!is_half(value.dtype())) return 0;
  Tensor wide = convert(value, DType::f32);
  if (filled) wide = wide.reshaped({});
  Graph& graph = node.graph();
  Value& initializer = graph.add_constant(node.output(0)->name() + "_fp32", std::move(wide));
  if (filled) {
    node.set_op("Expand");
    graph.set_input(node, 1, node.input(0));
  } else {
    node.set_op("Identity");
  }
  node.erase_attr("value");
  graph.set_input(node, 0, &initializer);
  return 1;
}

}  // namespace

int widen_fp16(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model)) {
    for (Node* node : graph->nodes())
      rewrites += widen_type_attrs(*node) + widen_tensor_attr(*node);
    for (Value* value : graph->values()) {
      if (!is_half(value->dtype())) continue;
      if (value->is_constant()) {
        value->set_constant(convert(value->constant(), DType::f32));
      } else {
        value->set_type(DType::f32, value->dims());
      }
      rewrites += value->is_constant() || value->is_input() || value->is_output();
    }
  }
  return rewrites;
}

}  // namespace intaglio
