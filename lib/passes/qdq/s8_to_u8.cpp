// fuse_qdq: signed codes between QuantizeLinear and its only reader become unsigned ones, all
// 128 higher, as in ONNX Runtime's QDQS8ToU8Transformer: its kernels for x86-64 multiply unsigned
// activations with signed weights. A value with several readers keeps its type there, because each
// reader has a DequantizeLinear of its own by then; what reads it stays in float.

#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

bool signed_zero(const Value* zero) {
  return zero != nullptr && zero->is_constant() && zero->constant().size() == 1 &&
         zero->constant().dtype() == DType::s8;
}

// The DequantizeLinear with the only reader of the codes; null when there is none.
Node* only_dequantizer(const Value* codes) {
  if (codes == nullptr || codes->is_output() || codes->uses().size() != 1) return nullptr;
  Node* node = codes->uses().front().node;
  if (!node->is("DequantizeLinear") || codes->uses().front().index != 0) return nullptr;
  const Value* real = node->output(0);
  return real != nullptr && real->uses().size() + (real->is_output() ? 1 : 0) == 1 ? node : nullptr;
}

}  // namespace

void make_unsigned(Graph& graph) {
  for (Node* quantize : graph.nodes()) {
    if (!quantize->is("QuantizeLinear") || !signed_zero(quantize->input(2))) continue;
    Node* dequantize = only_dequantizer(quantize->output(0));
    if (dequantize == nullptr || !signed_zero(dequantize->input(2))) continue;
    const Value& zero = *quantize->input(2);
    const auto code = zero.constant().item<std::int32_t>();
    if (dequantize->input(2)->constant().item<std::int32_t>() != code) continue;
    Value& shifted =
        graph.add_constant(zero.name() + "_unsigned",
                           Tensor::scalar<std::uint8_t>(static_cast<std::uint8_t>(code + 128)));
    graph.set_input(*quantize, 2, &shifted);
    graph.set_input(*dequantize, 2, &shifted);
    Value& codes = *quantize->output(0);
    codes.set_type(DType::u8, codes.dims());
  }
}

}  // namespace intaglio
