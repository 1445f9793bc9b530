// com.microsoft.QGemm (1): alpha * A' * B' + C on 8-bit codes, exact in 32 bits, where A' and B'
// may be transposed. Inputs: A, scale, zero point, B, scale, zero point (both one for all or by
// column), C (int32 in units of the product of the scales, may be missing), and scale and zero
// point of the result; without these two it is float.
#include <fmt/format.h>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/ops/codes/integer_product.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

struct Attrs {
  bool transpose_a, transpose_b;
  float alpha;
  PackedCodes packed;
};

Tensor transposed(const Tensor& matrix) {
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)});
  for (std::int64_t i = 0; i < result.dim(0); ++i)
    for (std::int64_t j = 0; j < result.dim(1); ++j)
      result.raw_mutate()[i * result.dim(1) + j] = matrix.raw()[j * result.dim(0) + i];
  return result;
}

Tensor operand(const Tensor& matrix, bool transpose) {
  require_codes(matrix.dtype());
  if (matrix.rank() != 2)
    throw Error(Code::model, "operand of shape " + to_string(matrix.shape()) + " is not a matrix");
  return transpose ? transposed(matrix) : matrix;
}

void add_bias(Tensor& sums, const Tensor& bias) {
  if (broadcast_shapes(bias.shape(), sums.shape()) != sums.shape())
    throw Error(Code::model, fmt::format("C of shape {} does not broadcast to {}",
                                         to_string(bias.shape()), to_string(sums.shape())));
  const Shape strides = broadcast_strides(bias.shape(), sums.shape());
  const std::int32_t* from = bias.data<std::int32_t>().data();
  std::int32_t* out = sums.mutate<std::int32_t>().data();
  for (std::int64_t i = 0; i < sums.dim(0); ++i)
    for (std::int64_t j = 0; j < sums.dim(1); ++j, ++out)
      *out = wrapping_add(*out, from[i * strides[0] + j * strides[1]]);
}

void run(KernelContext& c, const Attrs& attrs) {
  const Tensor a = operand(c.input(0), attrs.transpose_a);
  const Tensor b = operand(c.input(3), attrs.transpose_b && attrs.packed == nullptr);
  const PackedCodes& packed = attrs.packed;
  Tensor sums(DType::s32, {a.dim(0), packed ? packed->columns() : b.dim(1)});
  if (a.dim(1) != (packed ? packed->depth() : b.dim(0)))
    throw Error(Code::model, fmt::format("matrices of shapes {} and {} do not multiply",
                                         to_string(a.shape()), to_string(b.shape())));
  if (packed) {
    const Tensor left = centred(a, convert(c.input(2), DType::s32).item<std::int32_t>());
    multiply_exact(PackedLeft({left.data<float>().data(), a.dim(0), a.dim(1), a.dim(1), 1}),
                   *packed, sums.mutate<std::int32_t>().data());
  } else {
    sums = integer_product({a, b, &c.input(2), &c.input(5)});
  }
  if (const Tensor* bias = c.optional(6)) add_bias(sums, *bias);

  Tensor scale = product_scale(Tensor::scalar(attrs.alpha * code_params(c, 1).scale), c.input(4));
  const ScaleMap map(sums.shape(), scale.shape(), -1, 0);
  if (c.optional(7) == nullptr) return c.set_output(0, dequantize(sums, scale, {}, map));
  const CodeParams y = code_params(c, 7);
  for (float& v : scale.mutate<float>()) v /= y.scale;
  c.set_output(0, requantize(sums, scale, Tensor::scalar(y.zero), map, a.dtype()));
}

std::unique_ptr<Kernel> make_qgemm(const Node& node) {
  const bool transpose_b = node.attr_int("transB", 0) != 0;
  const Attrs attrs{node.attr_int("transA", 0) != 0, transpose_b, node.attr_float("alpha", 1.0f),
                    pack_constant_codes(node, 3, 5, transpose_b)};
  return make_kernel([attrs](KernelContext& c) { run(c, attrs); });
}

// Without a zero point of the result it is float.
void infer_qgemm(RuleContext& c) {
  rules::gemm(c, !c.has(7) ? DType::f32 : c.dtype(c.has(8) ? 8 : 0), 0, 3);
}

}  // namespace

void register_qgemm(Registry& registry) {
  registry.add(
      {.op = "QGemm", .domain = "com.microsoft", .make = make_qgemm, .infer = infer_qgemm});
}

}  // namespace intaglio
