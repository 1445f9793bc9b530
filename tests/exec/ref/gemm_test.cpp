#include "lib/exec/ops/gemm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;

Tensor slow_product(const MatrixRef& a, const MatrixRef& b) {
  Tensor c(DType::f32, {a.rows, b.columns});
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < a.columns; ++k)
        sum += static_cast<double>(a.data[i * a.row_stride + k * a.column_stride]) *
               static_cast<double>(b.data[k * b.row_stride + j * b.column_stride]);
      c.mutate<float>()[static_cast<std::size_t>(i * b.columns + j)] = static_cast<float>(sum);
    }
  return c;
}

TEST(Gemm, AgreesWithTheSlowTwinForEverySizeAroundATile) {
  for (const std::int64_t m : {1, 2, 11, 12, 13, 25})
    for (const std::int64_t n : {1, 7, 31, 32, 33, 65, 600})
      for (const std::int64_t k : {1, 5, 256, 257, 700}) {
        const Tensor a = random_tensor({m * k}, 1), b = random_tensor({k * n}, 2);
        const MatrixRef left{a.data<float>().data(), m, k, 1, m};  // transposed
        const MatrixRef right{b.data<float>().data(), k, n, n, 1};
        Tensor c(DType::f32, {m, n});
        gemm(PackedLeft(left), PackedRight(right), {.c = c.mutate<float>().data(), .ldc = n});
        ASSERT_TRUE(close(c, slow_product(left, right), 1e-4, 1e-4)) << m << " " << n << " " << k;
      }
}

TEST(Gemm, AnElementDoesNotDependOnTheSizesOfTheResult) {
  const std::int64_t k = 300;
  const Tensor a = random_tensor({40, k}, 1), b = random_tensor({k, 70}, 2);
  const auto product = [&](std::int64_t m, std::int64_t n) {
    Tensor c(DType::f32, {m, n});
    gemm(PackedLeft({a.data<float>().data(), m, k, k, 1}),
         PackedRight({b.data<float>().data(), k, n, 70, 1}),
         {.c = c.mutate<float>().data(), .ldc = n});
    return c;
  };
  const Tensor whole = product(40, 70), part = product(3, 5);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 5; ++j)
      EXPECT_EQ(whole.data<float>()[i * 70 + j], part.data<float>()[i * 5 + j]);
}

TEST(Gemm, AProductOfNoDepthIsTheBias) {
  const float bias[] = {1, 2};
  Tensor c(DType::f32, {2, 3});
  gemm(PackedLeft({nullptr, 2, 0, 0, 1}), PackedRight({nullptr, 0, 3, 3, 1}),
       {.c = c.mutate<float>().data(), .ldc = 3, .row_bias = bias});
  EXPECT_TRUE(close(c, Tensor::of<float>({2, 3}, {1, 1, 1, 2, 2, 2})));
}

TEST(GemmOp, ScalesTransposesAndBroadcastsC) {
  const auto y = run_text(
      "(float[2,2] a, float[3,2] b, float[3] c) => (float[2,3] y) { y = Gemm<transA = 1, transB = "
      "1, alpha = 2.0, beta = 10.0>(a, b, c) }",
      {Tensor::of<float>({2, 2}, {1, 2, 3, 4}), Tensor::of<float>({3, 2}, {1, 0, 0, 1, 1, 1}),
       Tensor::of<float>({3}, {1, 2, 3})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 3}, {12, 26, 38, 14, 28, 42})));
}

TEST(MatMul, StacksVectorsAndIntegers) {
  const Tensor a = random_tensor({2, 1, 3, 4}, 1), b = random_tensor({5, 4, 2}, 2);
  const Tensor y = run_text(
      "(float[2,1,3,4] a, float[5,4,2] b) => (float[2,5,3,2] y) { y = MatMul(a, b) }", {a, b})[0];
  ASSERT_EQ(y.shape(), (Shape{2, 5, 3, 2}));
  const Tensor last = slow_product({a.data<float>().data() + 12, 3, 4, 4, 1},
                                   {b.data<float>().data() + 32, 4, 2, 2, 1});
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(y.data<float>()[54 + i], last.data<float>()[i], 1e-5);
  const auto dot = run_text(
      "(int64[3] a, int64[3] b) => (int64 y) { y = MatMul(a, b) }",
      {Tensor::of<std::int64_t>({3}, {1, 2, 3}), Tensor::of<std::int64_t>({3}, {4, 5, 6})});
  EXPECT_EQ(dot[0].shape(), Shape{});
  EXPECT_EQ(dot[0].item<std::int64_t>(), 32);
  EXPECT_THROW(run_text("(float[2,3] a, float[2,3] b) => (float[2,3] y) { y = MatMul(a, b) }",
                        {random_tensor({2, 3}), random_tensor({2, 3})}),
               Error);
}

TEST(MatMulInteger, IsExactBeyondTheRangeOfFloat) {
  const std::int64_t k = 2000;
  const std::vector<std::uint8_t> a(static_cast<std::size_t>(k), 255);
  std::vector<std::uint8_t> b(static_cast<std::size_t>(k), 255);
  b.back() = 254;
  const auto y =
      run_text("(uint8[1,2000] a, uint8[2000,1] b) => (int32[1,1] y) { y = MatMulInteger(a, b) }",
               {Tensor::of<std::uint8_t>({1, k}, a), Tensor::of<std::uint8_t>({k, 1}, b)});
  EXPECT_EQ(y[0].item<std::int32_t>(), 2000 * 255 * 255 - 255);
}

}  // namespace
}  // namespace intaglio
