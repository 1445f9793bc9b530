// QuantizeLinear, DequantizeLinear and the operators on codes.
#include "lib/exec/ops/codes/quantization.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

TEST(QuantizeLinear, RoundsHalvesToEvenBeforeTheZeroPointAndSaturates) {
  const auto y =
      run_text("(float[8] x, float s, uint8 z) => (uint8[8] y) { y = QuantizeLinear(x, s, z) }",
               {Tensor::of<float>({8}, {0.5, 1.5, 2.5, -0.5, 1e9, -1e9, std::nanf(""),
                                        std::numeric_limits<float>::infinity()}),
                Tensor::scalar(1.0f), Tensor::scalar(std::uint8_t{3})});
  EXPECT_EQ(y[0].to_vector<int>(), (std::vector{3, 5, 5, 3, 255, 0, 0, 255}));
}

TEST(QuantizeLinear, AgreesWithTheFormulaForEveryType) {
  const Tensor x = random_tensor({3, 50}, 1, -3, 3),
               scale = Tensor::of<float>({3}, {0.01f, 0.3f, 1e-4f});
  const Tensor zero = Tensor::of<std::int32_t>({3}, {3, 1, 2});
  for (const DType type : {DType::u8, DType::s8, DType::u16, DType::s16, DType::u4, DType::s4}) {
    const Tensor y = quantize(x, scale, zero, ScaleMap(x.shape(), scale.shape(), 0, 0), type);
    const auto codes = y.to_vector<std::int32_t>();
    const CodeRange range = code_range(type);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::size_t row = i / 50;
      const float v = std::nearbyint(x.data<float>()[i] / scale.data<float>()[row]) +
                      static_cast<float>(zero.data<std::int32_t>()[row]);
      ASSERT_EQ(codes[i], std::clamp(static_cast<std::int32_t>(v), range.lo, range.hi))
          << name_of(type);
    }
  }
}

TEST(QuantizeLinear, DequantizeLinearUndoesBlocks) {
  Tensor scale = random_tensor({2, 3, 4}, 2, 0.01f, 0.02f);
  const Tensor x = random_tensor({2, 5, 4}, 1);  // blocks of 2, 2 and 1
  const ScaleMap map(x.shape(), scale.shape(), 1, 2);
  const Tensor back = dequantize(quantize(x, scale, {}, map, DType::s8), scale, {}, map);
  EXPECT_TRUE(close(back, x, 0, 0.0101));
  EXPECT_THROW(ScaleMap(x.shape(), scale.shape(), 1, 3), Error);
  EXPECT_THROW(ScaleMap(x.shape(), {4}, 1, 0), Error);
}

TEST(DequantizeLinear, ReadsNibblesAndGivesTheTypeOfTheScale) {
  const auto y =
      run_text(TextModel().opset(21).graph(
                   "(int8[2] x, float16 s) => (float16[2] y) { y = DequantizeLinear(x, s) }"),
               {Tensor::of<std::int8_t>({2}, {-4, 6}), convert(Tensor::scalar(0.5f), DType::f16)});
  EXPECT_EQ(y[0].dtype(), DType::f16);
  EXPECT_EQ(y[0].to_vector<float>(), (std::vector{-2.f, 3.f}));
  const Tensor nibbles = convert(Tensor::of<std::int32_t>({3}, {-8, 7, -1}), DType::s4);
  EXPECT_EQ(nibbles.bytes(), 2u);
  const Tensor one = Tensor::scalar(2.0f);
  EXPECT_EQ(dequantize(nibbles, one, {}, ScaleMap({3}, {}, 0, 0)).to_vector<float>(),
            (std::vector{-16.f, 14.f, -2.f}));
}

TEST(DynamicQuantizeLinear, KeepsZeroInTheRange) {
  const auto y = run_text(
      "(float[3] x) => (uint8[3] y, float s, uint8 z) { y, s, z = DynamicQuantizeLinear(x) }",
      {Tensor::of<float>({3}, {1, 2, 5.1f})});
  EXPECT_TRUE(close(y[1], Tensor::scalar(0.02f)));
  EXPECT_EQ(y[2].item<int>(), 0);
  EXPECT_EQ(y[0].to_vector<int>(), (std::vector{50, 100, 255}));
}

// The integer convolution is the float one on dequantized values, quantized: within one step.
TEST(QLinearConv, AgreesWithTheFloatOperatorBetweenQuantizers) {
  const std::string params =
      "<float xs = {0.02}, uint8 xz = {120}, float ys = {0.05}, uint8 yz = {100}, int8[4] wz = {0, "
      "0, 0, 0}, "
      "float[4] ws = {0.01, 0.02, 0.015, 0.03}, int32[4] b = {100, -200, 300, 0}>";
  const std::string inputs = "(uint8[1,4,6,6] x, int8[4,2,3,3] w) => (uint8[1,4,6,6] y) ";
  Tensor x = convert(random_tensor({1, 4, 6, 6}, 1, 0, 255), DType::u8);
  Tensor w = convert(random_tensor({4, 2, 3, 3}, 2, -127, 127), DType::s8);
  const auto y = run_text(inputs + params +
                              "{ y = QLinearConv<group = 2, pads = [1, 1, 1, 1]>"
                              "(x, xs, xz, w, ws, wz, ys, yz, b) }",
                          {x, w});
  const auto z = run_text(
      inputs + params +
          "{ xf = DequantizeLinear(x, xs, xz) wf = DequantizeLinear<axis = 0>(w, ws, wz)"
          " bs = Mul(ws, xs) bf = DequantizeLinear<axis = 0>(b, bs)"
          " yf = Conv<group = 2, pads = [1, 1, 1, 1]>(xf, wf, bf) y = QuantizeLinear(yf, ys, yz) }",
      {x, w});
  EXPECT_TRUE(close(y[0], z[0], 0, 1));
}

TEST(QLinearMatMul, AgreesWithTheFloatOperatorBetweenQuantizers) {
  const std::string params =
      "<float as = {0.02}, uint8 az = {7}, float ys = {0.5}, uint8 yz = {128}, int8[3] bz = {1, 0, "
      "-1}, "
      "float[3] bs = {0.01, 0.02, 0.03}>";
  const std::string inputs = "(uint8[2,4,300] a, int8[300,3] b) => (uint8[2,4,3] y) ";
  const Tensor a = convert(random_tensor({2, 4, 300}, 1, 0, 255), DType::u8);
  const Tensor b = convert(random_tensor({300, 3}, 2, -127, 127), DType::s8);
  const auto y =
      run_text(inputs + params + "{ y = QLinearMatMul(a, as, az, b, bs, bz, ys, yz) }", {a, b});
  const auto z =
      run_text(inputs + params +
                   "{ af = DequantizeLinear(a, as, az) bf = DequantizeLinear<axis = 1>(b, bs, bz)"
                   " yf = MatMul(af, bf) y = QuantizeLinear(yf, ys, yz) }",
               {a, b});
  EXPECT_TRUE(close(y[0], z[0], 0, 1));
}

}  // namespace
}  // namespace intaglio
