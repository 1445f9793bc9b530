// Small floats: every code, and how values round.
#include "lib/tensor/small_float.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

TEST(SmallFloat, EveryCodeComesBack) {
  for (const DType type : {DType::f8e4m3fn, DType::f8e5m2, DType::f4e2m1})
    for (int code = 0; code < 1 << bits_of(type); ++code) {
      const float value = small_float_value(type, static_cast<std::uint8_t>(code));
      if (std::isfinite(value)) {
        EXPECT_EQ(small_float_code(type, value), code) << name_of(type);
      }
    }
}

TEST(SmallFloat, NamedValues) {
  EXPECT_EQ(small_float_value(DType::f8e4m3fn, 0x7e), 448);
  EXPECT_EQ(small_float_value(DType::f8e4m3fn, 0x01), 0x1p-9f);
  EXPECT_EQ(small_float_value(DType::f8e4m3fn, 0xb8), -1);
  EXPECT_TRUE(std::isnan(small_float_value(DType::f8e4m3fn, 0xff)));
  EXPECT_EQ(small_float_value(DType::f8e5m2, 0x7b), 57344);
  EXPECT_EQ(small_float_value(DType::f8e5m2, 0x01), 0x1p-16f);
  EXPECT_TRUE(std::isinf(small_float_value(DType::f8e5m2, 0xfc)));
  EXPECT_TRUE(std::isnan(small_float_value(DType::f8e5m2, 0x7d)));
}

TEST(SmallFloat, RoundsHalfToEvenAndSaturates) {
  const auto round = [](float v) {
    return small_float_value(DType::f8e4m3fn, small_float_code(DType::f8e4m3fn, v));
  };
  EXPECT_EQ(round(1.0625f), 1);      // half a step
  EXPECT_EQ(round(1.1875f), 1.25f);  // half a step the other way
  EXPECT_EQ(round(1.97f), 2);        // carries into the exponent
  EXPECT_EQ(round(0x1p-10f), 0);
  EXPECT_EQ(round(0x1.8p-10f), 0x1p-9f);
  EXPECT_EQ(round(1e9f), 448);
  EXPECT_EQ(round(-std::numeric_limits<float>::infinity()), -448);
  EXPECT_TRUE(std::isnan(round(std::nanf(""))));
  EXPECT_EQ(small_float_code(DType::f8e5m2, std::nanf("")), 0x7e)
      << "as the onnx project writes it";
}

TEST(SmallFloat, FourBits) {
  std::vector<float> values;
  for (int code = 0; code < 8; ++code)
    values.push_back(small_float_value(DType::f4e2m1, static_cast<std::uint8_t>(code)));
  EXPECT_EQ(values, (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 3, 4, 6}));
  const Tensor codes =
      convert(Tensor::vector<float>({-0.25f, 0.75f, 2.5f, 5, -1e9f}), DType::f4e2m1);
  EXPECT_EQ(codes.bytes(), 3u);
  EXPECT_EQ(codes.to_vector<float>(), (std::vector<float>{0, 1, 2, 4, -6}));
  EXPECT_EQ(small_float_code(DType::f4e2m1, std::nanf("")), 8) << "as the onnx project writes it";
}

TEST(SmallFloat, TensorsConvert) {
  const Tensor x = Tensor::vector<float>({0.5f, -448, 1e4f});
  const Tensor codes = convert(x, DType::f8e4m3fn);
  EXPECT_EQ(codes.bytes(), 3u);
  EXPECT_EQ(codes.to_vector<float>(), (std::vector<float>{0.5f, -448, 448}));
  EXPECT_EQ(convert(codes, DType::f16).to_vector<float>(), (std::vector<float>{0.5f, -448, 448}));
  EXPECT_EQ(convert(codes, DType::f8e5m2).to_vector<float>(),
            (std::vector<float>{0.5f, -448, 448}));
}

}  // namespace
}  // namespace intaglio
