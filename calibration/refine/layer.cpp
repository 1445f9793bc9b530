#include "calibration/refine/layer.h"

#include <algorithm>

namespace intaglio {
namespace {

// A float constant that nothing else reads.
Value* own_constant(Value* value) {
  const bool own = value != nullptr && value->is_constant() && value->dtype() == DType::f32 &&
                   value->uses().size() == 1 && !value->is_output();
  return own ? value : nullptr;
}

std::size_t length(const Value& value, std::size_t axis) {
  return static_cast<std::size_t>(value.constant().dim(axis));
}

bool is_padded(const Node& node) {
  if (const std::string mode = node.attr_string("auto_pad", "NOTSET"); mode.starts_with("SAME"))
    return true;
  const auto pads = node.attr_ints("pads");
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; });
}

void take_conv(Layer& layer) {
  const Node& node = *layer.node;
  layer.groups = static_cast<std::size_t>(node.attr_int("group", 1));
  layer.padded = is_padded(node);
  const Tensor& w = layer.weights->constant();
  layer.kernel = static_cast<std::size_t>(product(w.shape(), 2, w.shape().size()));
  if (node.is("Conv")) {
    layer.outputs = length(*layer.weights, 0);
    layer.inputs = length(*layer.weights, 1) * layer.groups;
    layer.input_stride = layer.kernel;
    layer.output_stride = layer.kernel * layer.inputs_per_group();
  } else {
    layer.weights_by_input = true;
    layer.inputs = length(*layer.weights, 0);
    layer.outputs = length(*layer.weights, 1) * layer.groups;
    layer.output_stride = layer.kernel;
    layer.input_stride = layer.kernel * layer.outputs_per_group();
  }
}

void take_product(Layer& layer, bool transposed) {
  layer.inputs = length(*layer.weights, transposed ? 1 : 0);
  layer.outputs = length(*layer.weights, transposed ? 0 : 1);
  layer.input_stride = transposed ? 1 : layer.outputs;
  layer.output_stride = transposed ? layer.inputs : 1;
}

bool is_plain(const Node& gemm) {
  return gemm.attr_int("transA", 0) == 0 && gemm.attr_float("alpha", 1) == 1 &&
         gemm.attr_float("beta", 1) == 1;
}

}  // namespace

std::optional<Layer> layer_of(const Node& node) {
  Layer layer;
  layer.node = &node;
  layer.weights = own_constant(node.input(1));
  if (layer.weights == nullptr || layer.weights->constant().size() == 0 || node.input(0) == nullptr)
    return std::nullopt;
  const int rank = layer.weights->constant().rank();
  if ((node.is("Conv") || node.is("ConvTranspose")) && rank > 2) {
    take_conv(layer);
  } else if (node.is("Gemm") && rank == 2 && is_plain(node)) {
    take_product(layer, node.attr_int("transB", 0) != 0);
  } else if (node.is("MatMul") && rank == 2 && node.input(0)->rank() != 1) {
    take_product(layer, false);
    layer.axis = std::max(node.input(0)->rank(), 0) - 1;
  } else {
    return std::nullopt;
  }
  if (node.input(2) == nullptr) return layer;
  layer.bias = own_constant(node.input(2));
  const bool by_output = layer.bias != nullptr && layer.bias->constant().rank() == 1 &&
                         length(*layer.bias, 0) == layer.outputs;
  return by_output ? std::optional(layer) : std::nullopt;
}

}  // namespace intaglio
