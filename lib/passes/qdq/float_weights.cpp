// fuse_qdq: float weights between pairs. ONNX Runtime's WeightBiasQuantization (1.31) takes a
// Conv, ConvTranspose or Gemm whose data is dequantized, whose result goes to a QuantizeLinear,
// through Relu and Clip at most, and whose weights and bias are float constants, for one that
// somebody forgot to quantize: its weights get int8 codes of one scale.
#include <algorithm>
#include <cmath>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/passes/qdq/cluster.h"
#include "lib/tensor/code_of.h"

namespace intaglio {
namespace {

bool leads_to_quantize(const Node& node) {
  const Node* reader = only_reader(node.output(0));
  while (reader != nullptr && traits_of(*reader).clips) reader = only_reader(reader->output(0));
  return reader != nullptr && reader->is("QuantizeLinear");
}

bool is_float_constant(const Value* value) {
  return value != nullptr && value->is_constant() && value->constant().dtype() == DType::f32;
}

bool takes(const Node& node) {
  if (!node.is("Conv") && !node.is("ConvTranspose") && !node.is("Gemm")) return false;
  const auto x = dequantized(node.input(0));
  const Value* bias = node.input(2);
  return x && x->per_tensor() && is_float_constant(node.input(1)) &&
         node.input(1)->constant().size() > 0 &&
         (bias == nullptr || (is_float_constant(bias) && bias->constant().rank() == 1)) &&
         leads_to_quantize(node);
}

// scale = (max - min) / 255, zero point = -128 - min / scale, of a range that holds 0.
void quantize_weights(Node& node) {
  Graph& graph = node.graph();
  const Value& weights = *node.input(1);
  const auto in = weights.constant().data<float>();
  const float lo = std::min(0.0f, *std::ranges::min_element(in));
  const float hi = std::max(0.0f, *std::ranges::max_element(in));
  const float scale = lo == hi ? 1.0f : (hi - lo) / 255.0f;
  const float zero = std::nearbyint(std::clamp(-128.0f - lo / scale, -128.0f, 127.0f));
  Tensor codes(DType::s32, weights.constant().shape());
  std::ranges::transform(in, codes.mutate<std::int32_t>().begin(), [&](float w) {
    return static_cast<std::int32_t>(code_of(w, scale, zero, -128.0f, 127.0f));
  });
  const std::string& name = weights.name();
  Value& stored = graph.add_constant(name + "_quantized", convert(codes, DType::s8));
  Value& step = graph.add_constant(name + "_scale", Tensor::scalar(scale));
  Value& point = graph.add_constant(
      name + "_zero_point", convert(Tensor::scalar(static_cast<std::int32_t>(zero)), DType::s8));
  Value& real = graph.add_value(name + "_dequantized", DType::f32, weights.dims());
  graph.add_node("DequantizeLinear", name + "_DequantizeLinear", {&stored, &step, &point}, {&real});
  graph.set_input(node, 1, &real);
}

}  // namespace

void quantize_float_weights(Graph& graph) {
  for (Node* node : graph.nodes())
    if (takes(*node)) quantize_weights(*node);
}

}  // namespace intaglio
