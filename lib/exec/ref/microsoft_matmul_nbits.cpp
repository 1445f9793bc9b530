// com.microsoft: MatMulNBits, y = a * b^T + bias, where b [N,K] is quantized in blocks along K,
// with 2, 4 or 8 bits, the first value in the lowest bits (onnxruntime/docs/ContribOperators.md).
// With accuracy level 4, a is rounded to 8 bits in blocks as well.
#include <fmt/format.h>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/matmul.h"
#include "lib/exec/ops/nbits.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

float code_at(const std::byte* bytes, std::int64_t i, const NBits& b) {
  return packed_bits(bytes, static_cast<std::size_t>(b.bits), static_cast<std::size_t>(i));
}

// The zero points as floats, [N, blocks]; the middle of the range without them.
std::vector<float> zero_points(const Tensor* given, const NBits& b) {
  const auto count = static_cast<std::size_t>(b.n * b.count());
  if (given == nullptr) return std::vector<float>(count, static_cast<float>(1 << (b.bits - 1)));
  if (given->dtype() != DType::u8) {
    auto values = as_float(*given).to_vector<float>();
    if (values.size() != count) throw Error(Code::model, "zero points that do not fit the blocks");
    return values;
  }
  if (given->size() != b.n * b.zero_bytes())
    throw Error(Code::model, "zero points that do not fit the blocks");
  std::vector<float> result;
  for (std::int64_t n = 0; n < b.n; ++n)
    for (std::int64_t i = 0; i < b.count(); ++i)
      result.push_back(code_at(given->raw() + n * b.zero_bytes(), i, b));
  return result;
}

// b transposed: [K, N].
Tensor dequantized(const Tensor& packed, const Tensor& scales, const Tensor* zeros,
                   const NBits& b) {
  if (packed.size() != b.n * b.count() * b.bytes() || scales.size() != b.n * b.count())
    throw Error(Code::model,
                fmt::format("weights {} and scales {} for {} blocks of {} rows",
                            to_string(packed.shape()), to_string(scales.shape()), b.count(), b.n));
  const auto zero = zero_points(zeros, b);
  const auto bytes = std::as_bytes(packed.data<std::uint8_t>());
  const auto scale = scales.data<float>();
  Tensor result(DType::f32, {b.k, b.n});
  const auto out = result.mutate<float>();
  for (std::int64_t n = 0; n < b.n; ++n)
    for (std::int64_t k = 0; k < b.k; ++k) {
      const auto at = static_cast<std::size_t>(n * b.count() + k / b.block);
      const std::byte* codes = bytes.data() + static_cast<std::int64_t>(at) * b.bytes();
      out[static_cast<std::size_t>(k * b.n + n)] =
          scale[at] * (code_at(codes, k % b.block, b) - zero[at]);
    }
  return result;
}

// The weights of a model, unpacked once; undefined when they are not constant.
Tensor unpacked_constants(const Node& node, const NBits& blocks) {
  const auto constant = [&](std::size_t i) {
    return node.input(i) != nullptr && node.input(i)->is_constant();
  };
  if (!constant(1) || !constant(2) || (node.input(3) != nullptr && !constant(3))) return {};
  return dequantized(node.input(1)->constant(), as_float(node.input(2)->constant()),
                     constant(3) ? &node.input(3)->constant() : nullptr, blocks);
}

// Inputs: a, b, scales, zero_points, g_idx, bias.
std::unique_ptr<Kernel> make_matmul_nbits(const Node& node) {
  const NBits blocks = read_nbits(node);
  if (node.input(4) != nullptr) throw Error(Code::unsupported, "groups by index (g_idx)");
  return make_kernel([blocks, kept = unpacked_constants(node, blocks)](KernelContext& c) {
    Tensor a = as_float(c.input(0));
    if (blocks.on_codes) a = rounded_by_block(a, blocks);
    const Tensor b = kept.defined()
                         ? kept
                         : dequantized(c.input(1), as_float(c.input(2)), c.optional(3), blocks);
    const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
    Tensor y(DType::f32, plan.output);
    matmul(plan, a.data<float>().data(), b.data<float>().data(), y.mutate<float>().data());
    if (c.optional(5) != nullptr)
      y = broadcast_map<float>(y, as_float(*c.optional(5)), std::plus<>());
    set_float_output(c, 0, std::move(y), c.input(0).dtype());
  });
}

void infer_matmul_nbits(RuleContext& c) {
  std::optional<Dims> dims = c.dims(0);
  if (dims && !dims->empty()) dims->back() = dim_of(c.node().attr_int("N"));
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_microsoft_matmul_nbits(Registry& registry) {
  registry.add({.op = "MatMulNBits",
                .domain = "com.microsoft",
                .make = make_matmul_nbits,
                .infer = infer_matmul_nbits});
}

}  // namespace intaglio
