// fuse_qdq: Conv, MatMul and Gemm, whose products are summed in 32 bits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/passes/gemm_of_matmul.h"
#include "lib/passes/qdq/cluster.h"
#include "lib/tensor/code_of.h"

namespace intaglio {
namespace {

constexpr std::string_view microsoft = "com.microsoft";

// The operands of a product: activations with one scale, weights with one or one per output.
ClusterRefusal refuse_operands(const std::optional<CodesRef>& x, const std::optional<CodesRef>& w,
                               std::int64_t axis, int rank) {
  if (!x || !w)
    return FloatReason(Why::input_float, fmt::format("input {} is not dequantized", x ? 1 : 0));
  for (const CodesRef& codes : {*x, *w})
    if (!is_byte(codes.type)) return fmt::format("codes of type {}", name_of(codes.type));
  if (x->type == DType::s8 && w->type != DType::s8)
    return "no kernel multiplies codes of int8 with codes of uint8";
  if (!x->per_tensor()) return "the scale of input 0 varies";
  const std::int64_t own = w->axis < 0 ? w->axis + rank : w->axis;
  if (!w->per_tensor() && own != axis)
    return fmt::format("the scale of input 1 varies along axis {}", own);
  return std::nullopt;
}

// round(b / (x_scale * w_scale)), as the runtime does when it loads such a model: it divides in
// float, where quantize_bias() (lib/quant/array.h) chooses codes of its own in double.
Tensor quantized_bias(const Tensor& bias, const Tensor& x_scale, const Tensor& w_scale) {
  Tensor codes(DType::s32, bias.shape());
  const auto scales = w_scale.data<float>();
  for (std::size_t i = 0; i < codes.data<std::int32_t>().size(); ++i) {
    const float scale = x_scale.item<float>() * scales[scales.size() == 1 ? 0 : i];
    const double code = unclamped_code(bias.data<float>()[i], scale, 0.0f);
    codes.mutate<std::int32_t>()[i] = static_cast<std::int32_t>(std::clamp<double>(
        code, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
  }
  return codes;
}

// Whether onnxruntime 1.31 takes the codes of a bias as they are: their scale agrees with that of the
// products to 1 %, or 1e-6, and there are as many scales as those of the weights. Where it is a
// little off, so is the result.
bool fits(const CodesRef& bias, const CodesRef& x, const CodesRef& w) {
  const auto own = bias.scale->constant().to_vector<double>(),
             weights = w.scale->constant().to_vector<double>();
  const double activations = x.scale->constant().item<double>();
  if (weights.size() != 1 && weights.size() != own.size()) return false;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const double expected = activations * weights[weights.size() == 1 ? 0 : i];
    if (!(std::abs(own[i] - expected) <= 1e-2 * expected + 1e-6)) return false;
  }
  return true;
}

bool is_centred(const CodesRef& codes) {
  return codes.zero == nullptr || std::ranges::all_of(codes.zero->constant().to_vector<int>(),
                                                      [](int zero) { return zero == 0; });
}

}  // namespace

IntegerBias integer_bias(const Node& node, const CodesRef& x, const CodesRef& w) {
  Value* bias = node.input(2);
  if (bias == nullptr) return {};
  if (const auto codes = dequantized(bias)) {
    if (codes->type != DType::s32) return {nullptr, "its bias is not int32"};
    if (!fits(*codes, x, w)) return {nullptr, "the scale of its bias is not that of the products"};
    if (!is_centred(*codes)) return {nullptr, "the zero point of its bias is not 0"};
    return {codes->codes, ""};
  }
  if (!bias->is_constant() || bias->constant().dtype() != DType::f32 ||
      bias->constant().rank() != 1)
    return {nullptr, "its bias is float"};
  const Tensor& w_scale = w.scale->constant();
  if (w_scale.size() != 1 && w_scale.size() != bias->constant().size())
    return {nullptr, "its bias does not fit the scale of its weights"};
  return {
      &node.graph().add_constant(bias->name() + "_quantized",
                                 quantized_bias(bias->constant(), x.scale->constant(), w_scale)),
      ""};
}

ClusterRefusal fuse_conv(Node& node, const IntegerOptions& options) {
  const auto x = dequantized(node.input(0)), w = dequantized(node.input(1));
  if (auto refusal = refuse_operands(x, w, 0, 0)) return refusal;
  const auto tail = tail_of(node, options);
  if (const auto* reason = std::get_if<FloatReason>(&tail)) return *reason;
  const Tail& end = std::get<Tail>(tail);
  if (end.codes.type != x->type) return "its input and result have codes of different types";
  const IntegerBias bias = integer_bias(node, *x, *w);
  if (!bias.refusal.empty()) return FloatReason(Why::bias, bias.refusal);
  std::vector<Value*> inputs;
  append(inputs, *x);
  append(inputs, *w);
  inputs.insert(inputs.end(), {end.codes.scale, end.codes.zero});
  if (bias.value != nullptr) inputs.push_back(bias.value);
  exchange(node, "QLinearConv", {}, inputs, &end);
  return std::nullopt;
}

namespace {

// Whether the Gemm that the runtime makes of a MatMul and an Add runs on codes: its bias is in
// int32, or becomes so because the result does, too.
bool takes_bias(const GemmOfMatMul& gemm, const CodesRef& a, const CodesRef& b) {
  if (const auto codes = dequantized(gemm.bias))
    return codes->type == DType::s32 && fits(*codes, a, b) && is_centred(*codes);
  const Node* reader = only_reader(gemm.add->output(0));
  while (reader != nullptr && traits_of(*reader).clips) reader = only_reader(reader->output(0));
  return reader != nullptr && reader->is("QuantizeLinear") && gemm.bias->is_constant() &&
         gemm.bias->rank() == 1;
}

}  // namespace

ClusterRefusal fuse_matmul(Node& node, const IntegerOptions& options) {
  const auto a = dequantized(node.input(0)), b = dequantized(node.input(1));
  const int rank = node.input(1) != nullptr ? node.input(1)->rank() : -1;
  if (auto refusal = refuse_operands(a, b, rank - 1, rank)) return refusal;
  if (goes_on_in_float(node)) {
    const auto gemm = options.joins_bias ? gemm_of(node) : std::nullopt;
    if (gemm && !takes_bias(*gemm, *a, *b))
      return FloatReason(Why::bias, "becomes a Gemm with the Add behind it, whose bias is float");
    if (options.microsoft)
      exchange(node, "MatMulIntegerToFloat", microsoft,
               {a->codes, b->codes, a->scale, b->scale, a->zero, b->zero}, nullptr);
    else
      exchange_for_matmul_integer(node, *a, *b, nullptr);
    return std::nullopt;
  }
  const auto tail = tail_of(node, options);
  if (const auto* reason = std::get_if<FloatReason>(&tail)) return *reason;
  const Tail& end = std::get<Tail>(tail);
  if (end.codes.type != a->type) return "its input and result have codes of different types";
  std::vector<Value*> inputs;
  append(inputs, *a);
  append(inputs, *b);
  inputs.insert(inputs.end(), {end.codes.scale, end.codes.zero});
  exchange(node, "QLinearMatMul", {}, inputs, &end);
  return std::nullopt;
}

ClusterRefusal fuse_gemm(Node& node, const IntegerOptions& options) {
  const auto a = dequantized(node.input(0)), b = dequantized(node.input(1));
  if (auto refusal = refuse_operands(a, b, node.attr_int("transB", 0) != 0 ? 0 : 1, 2))
    return refusal;
  if (node.attr_float("alpha", 1) != 1 || (node.input(2) && node.attr_float("beta", 1) != 1))
    return "alpha or beta is not 1";
  if (!options.microsoft) return fuse_standard_gemm(node, options);
  const bool float_result = goes_on_in_float(node);
  if (float_result && node.input(2) != nullptr && !dequantized(node.input(2)))
    return FloatReason(Why::bias, "its bias is float");
  const auto tail = float_result ? Tail{} : tail_of(node, options);
  if (const auto* reason = std::get_if<FloatReason>(&tail)) return *reason;
  const Tail& end = std::get<Tail>(tail);
  if (!float_result && end.codes.type != a->type)
    return "its input and result have codes of different types";
  const IntegerBias bias = integer_bias(node, *a, *b);
  if (!bias.refusal.empty()) return FloatReason(Why::bias, bias.refusal);
  std::vector<Value*> inputs;
  append(inputs, *a);
  append(inputs, *b);
  inputs.push_back(bias.value);
  if (!float_result) inputs.insert(inputs.end(), {end.codes.scale, end.codes.zero});
  if (node.has("beta")) node.erase_attr("beta");
  exchange(node, "QGemm", microsoft, inputs, float_result ? nullptr : &end);
  return std::nullopt;
}

}  // namespace intaglio
