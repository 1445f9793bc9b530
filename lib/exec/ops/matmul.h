// Matrix products over stacks of matrices, with the shapes of numpy.matmul: shared by MatMul,
// MatMulInteger and QLinearMatMul.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/exec/ops/gemm.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct MatMulPlan {
  std::int64_t m = 0, k = 0, n = 0;  // of one product
  Shape output;
  // Where the operands of each product start, in elements; results follow one another.
  std::vector<std::pair<std::int64_t, std::int64_t>> products;
};

// Throws Code::model when the shapes do not fit. A stack times a single matrix becomes one product.
MatMulPlan plan_matmul(const Shape& a, const Shape& b);

// y = a * b in single precision. packed: the only b of the plan, if it was packed before.
void matmul(const MatMulPlan& plan, const float* a, const float* b, float* y,
            const PackedRight* packed = nullptr);

// Exact for integers in [-255, 255]; sums wrap around as 32-bit ones do.
void matmul_exact(const MatMulPlan& plan, const float* a, const float* b, std::int32_t* y);

// Integers wrap around.
template <typename T>
T multiply_add(T a, T b, T c) {
  using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b) + static_cast<Wide>(c));
}

// Any other type.
template <typename T>
void matmul_plain(const MatMulPlan& plan, const T* a, const T* b, T* y) {
  for (const auto& [at_a, at_b] : plan.products)
    for (std::int64_t i = 0; i < plan.m; ++i, y += plan.n) {
      std::fill_n(y, plan.n, T{});
      for (std::int64_t k = 0; k < plan.k; ++k) {
        const T left = a[at_a + i * plan.k + k];
        const T* right = b + at_b + k * plan.n;
        for (std::int64_t j = 0; j < plan.n; ++j) y[j] = multiply_add(left, right[j], y[j]);
      }
    }
}

}  // namespace intaglio
