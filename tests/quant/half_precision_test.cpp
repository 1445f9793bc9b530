// What fits into 16 bits of float, and what is lost.
#include "lib/quant/half_precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(HalfPrecision, TheLargestValuesStayFinite) {
  const Tensor x = Tensor::vector<float>({1.0f, 65504, 65519, 65520, -1e9f, infinity});
  const auto half = to_half(x, DType::f16).to_vector<float>();
  EXPECT_EQ(half, (std::vector<float>{1, 65504, 65504, 65504, -65504, infinity}));
  EXPECT_EQ(half_loss(x, DType::f16).beyond, 3u) << "what rounds to the largest is clipped too";
  EXPECT_EQ(to_half(x, DType::bf16).to_vector<float>()[4], -0x1.DCp29f);
  EXPECT_EQ(half_loss(x, DType::bf16).beyond, 0u);
  const Tensor huge = Tensor::vector<float>({3.4e38f});
  EXPECT_TRUE(std::isfinite(to_half(huge, DType::bf16).to_vector<float>()[0]));
  EXPECT_EQ(half_loss(huge, DType::bf16).beyond, 1u);
}

TEST(HalfPrecision, SubnormalsAreKeptUntilTheyVanish) {
  const Tensor x = Tensor::vector<float>({0.0f, 0x1p-24f, 0x1p-25f, -1e-9f, 0x1.8p-25f});
  EXPECT_EQ(to_half(x, DType::f16).to_vector<float>(),
            (std::vector<float>{0, 0x1p-24f, 0, 0, 0x1p-24f}));
  EXPECT_EQ(half_loss(x, DType::f16).vanished, 2u);
  EXPECT_EQ(half_loss(x, DType::bf16).vanished, 0u);
}

TEST(HalfPrecision, NanStaysNan) {
  const Tensor x = Tensor::vector<float>({std::nanf("")});
  EXPECT_TRUE(std::isnan(to_half(x, DType::f16).to_vector<float>()[0]));
  EXPECT_EQ(half_loss(x, DType::f16).beyond, 0u);
}

}  // namespace
}  // namespace intaglio::testing
