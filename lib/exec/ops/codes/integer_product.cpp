#include "lib/exec/ops/codes/integer_product.h"

#include <algorithm>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/matmul.h"

namespace intaglio {
namespace {

Tensor centred_operand(const Tensor& codes, const Tensor* zero, std::int64_t axis) {
  const bool bytes = codes.dtype() == DType::u8 || codes.dtype() == DType::s8;
  if (bytes && (zero == nullptr || zero->size() == 1))
    return centred(codes, zero != nullptr ? convert(*zero, DType::s32).item<std::int32_t>() : 0);
  return centred(codes, zero, axis);
}

}  // namespace

PackedCodes pack_constant_codes(const Node& node, std::size_t codes, std::size_t zero,
                                bool transpose) {
  const Value *b = node.input(codes), *z = node.input(zero);
  if (b == nullptr || !b->is_constant() || (z != nullptr && !z->is_constant())) return nullptr;
  const Tensor& matrix = b->constant();
  if (matrix.rank() != 2) return nullptr;
  const Tensor values =
      centred_operand(matrix, z != nullptr ? &z->constant() : nullptr, transpose ? 0 : -1);
  const float* data = values.data<float>().data();
  const std::int64_t rows = matrix.dim(0), columns = matrix.dim(1);
  return std::make_shared<const PackedRight>(transpose
                                                 ? MatrixRef{data, columns, rows, 1, columns}
                                                 : MatrixRef{data, rows, columns, columns, 1});
}

void multiply_exact(const PackedLeft& a, const PackedRight& b, std::int32_t* c) {
  const auto count = static_cast<std::size_t>(a.rows() * b.columns());
  if (count == 0) return;  // however deep
  std::vector<float> block(count);
  std::fill_n(c, count, 0);
  for (std::int64_t k = 0; k < a.depth(); k += block_depth) {
    gemm(a, b,
         {.c = block.data(),
          .ldc = b.columns(),
          .first = k,
          .last = std::min(k + block_depth, a.depth())});
    for (std::size_t i = 0; i < count; ++i)
      c[i] = wrapping_add(c[i], static_cast<std::int32_t>(block[i]));
  }
}

Tensor integer_product(const CodeOperands& o) {
  const MatMulPlan plan = plan_matmul(o.a.shape(), o.b.shape());
  Tensor y(DType::s32, plan.output);
  std::int32_t* out = y.mutate<std::int32_t>().data();
  const Tensor left = centred_operand(o.a, o.a_zero, o.a.rank() > 1 ? -2 : -1);
  const float* a = left.data<float>().data();
  if (o.packed != nullptr && plan.products.size() == 1) {
    multiply_exact(PackedLeft({a, plan.m, plan.k, plan.k, 1}), *o.packed, out);
  } else {
    const Tensor right = centred_operand(o.b, o.b_zero, -1);
    matmul_exact(plan, a, right.data<float>().data(), out);
  }
  return y;
}

Tensor product_scale(const Tensor& a_scale, const Tensor& b_scale) {
  const Tensor a = as_float(a_scale);
  if (a.size() != 1)
    throw Error(Code::unsupported, "scales by row of the first matrix",
                "Quantize the activations per tensor.");
  Tensor result = as_float(b_scale);
  const float factor = a.item<float>();
  for (float& v : result.mutate<float>()) v *= factor;
  return result;
}

}  // namespace intaglio
