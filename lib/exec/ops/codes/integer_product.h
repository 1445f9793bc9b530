// Matrix products of 8-bit codes, exact in 32 bits: shared by QLinearMatMul, MatMulInteger,
// MatMulIntegerToFloat and QGemm.
#pragma once

#include <memory>

#include "lib/exec/kernel.h"
#include "lib/exec/ops/gemm.h"

namespace intaglio {

using PackedCodes = std::shared_ptr<const PackedRight>;

// The matrix at an input, its zero point (one for all, or by column) subtracted, when both are
// constant; null when they are not or it is no matrix.
PackedCodes pack_constant_codes(const Node& node, std::size_t codes, std::size_t zero,
                                bool transpose = false);

// c = a * b for centred codes; c: s32, row-major. Sums wrap around.
void multiply_exact(const PackedLeft& a, const PackedRight& b, std::int32_t* c);

// Operands of a product with the shapes of numpy.matmul. Zero points: of A one for all or by row,
// of B one for all or by column; null: 0. `packed` stands for b and its zero point.
struct CodeOperands {
  const Tensor &a, &b;
  const Tensor *a_zero = nullptr, *b_zero = nullptr;
  PackedCodes packed = nullptr;
};
Tensor integer_product(const CodeOperands& operands);  // s32

// multiplier[i] = a_scale * b_scale[i]
Tensor product_scale(const Tensor& a_scale, const Tensor& b_scale);

}  // namespace intaglio
