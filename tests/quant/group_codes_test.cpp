// Whole weights in groups: packing, layouts, sizes that do not fit.
#include "lib/quant/group_codes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/groups/methods.h"
#include "tests/support/group_codes.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Scheme scheme_of(DType type, std::int64_t group, int axis) {
  return {type, type == DType::s8 || type == DType::s4 || type == DType::s2, false, axis, group};
}

GroupCodes quantized(const Tensor& w, const Scheme& scheme, GroupLayout layout,
                     std::size_t threads = 1) {
  return quantize_groups(weight_matrix(w, *scheme.axis), scheme, *make_nearest(), layout, threads);
}

Tensor transposed(const Tensor& w) {
  Tensor t(DType::f32, {w.dim(1), w.dim(0)});
  const auto from = w.data<float>();
  const auto to = t.mutate<float>();
  const auto rows = static_cast<std::size_t>(w.dim(0)),
             columns = static_cast<std::size_t>(w.dim(1));
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  return t;
}

TEST(GroupCodes, BytesOfMatMulNBits) {
  // One output, 16 inputs 0 .. 15: scale 1, zero 0, each its own code, lowest bits first.
  Tensor w(DType::f32, {16, 1});
  for (int k = 0; k < 16; ++k)
    w.mutate<float>()[static_cast<std::size_t>(k)] = static_cast<float>(k);
  const GroupCodes codes = quantized(w, scheme_of(DType::u4, 16, 0), GroupLayout::outputs_first);
  EXPECT_EQ(codes.codes.shape(), (Shape{1, 1, 8}));
  EXPECT_EQ(codes.codes.data<std::uint8_t>()[0], 0x10);
  EXPECT_EQ(codes.codes.data<std::uint8_t>()[7], 0xFE);
  EXPECT_EQ(codes.scales.data<float>()[0], 1);
  EXPECT_EQ(codes.zero_points.shape(), (Shape{1, 1}));
  EXPECT_EQ(codes.zero_points.data<std::uint8_t>()[0], 0);
  EXPECT_EQ(codes.noise, 0);
  EXPECT_DOUBLE_EQ(codes.signal, 1240);
}

TEST(GroupCodes, BytesOfDequantizeLinear) {
  // Two outputs; what is symmetric has two's complement and no zero points.
  Tensor w(DType::f32, {16, 2});
  for (std::size_t k = 0; k < 16; ++k)
    for (std::size_t n = 0; n < 2; ++n)
      w.mutate<float>()[2 * k + n] = static_cast<float>(k) - 8 + static_cast<float>(n) * 0;
  const GroupCodes codes = quantized(w, scheme_of(DType::s4, 16, 0), GroupLayout::inputs_first);
  EXPECT_EQ(codes.codes.dtype(), DType::s4);
  EXPECT_EQ(codes.codes.shape(), (Shape{16, 2}));
  EXPECT_FALSE(codes.zero_points.defined());
  EXPECT_EQ(codes.codes.to_vector<std::int32_t>()[0], -8);
  EXPECT_EQ(codes.codes.to_vector<std::int32_t>()[31], 7);
  EXPECT_EQ(codes.scales.shape(), (Shape{1, 2}));
}

struct Case {
  DType type;
  std::int64_t inputs, outputs, group;
};

TEST(GroupCodes, AllLayoutsSayTheSame) {
  for (const Case& c :
       {Case{DType::u4, 96, 70, 32}, Case{DType::s4, 100, 3, 32}, Case{DType::u2, 50, 65, 16},
        Case{DType::s2, 64, 128, 64}, Case{DType::u8, 33, 130, 32}, Case{DType::s8, 256, 1, 256},
        Case{DType::u4, 32, 1100, 16}}) {
    const Tensor w = random_tensor({c.inputs, c.outputs});
    const Tensor t = transposed(w);
    const Scheme by_rows = scheme_of(c.type, c.group, 0),
                 by_columns = scheme_of(c.type, c.group, 1);
    const GroupCodes a = quantized(w, by_rows, GroupLayout::inputs_first),
                     b = quantized(w, by_rows, GroupLayout::outputs_first, 3),
                     d = quantized(t, by_columns, GroupLayout::outputs_first);
    const auto of_a = dequantize_groups(a, by_rows, GroupLayout::inputs_first, c.inputs, c.outputs);
    const auto of_b =
        dequantize_groups(b, by_rows, GroupLayout::outputs_first, c.inputs, c.outputs);
    double noise = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(c.inputs); ++k)
      for (std::size_t n = 0; n < static_cast<std::size_t>(c.outputs); ++n) {
        const float va = of_a[k * static_cast<std::size_t>(c.outputs) + n];
        ASSERT_EQ(va, of_b[n * static_cast<std::size_t>(c.inputs) + k])
            << name_of(c.type) << k << "," << n;
        noise += std::pow(
            static_cast<double>(va) -
                static_cast<double>(w.data<float>()[k * static_cast<std::size_t>(c.outputs) + n]),
            2);
      }
    EXPECT_NEAR(a.noise, noise, noise * 1e-4) << name_of(c.type);
    EXPECT_TRUE(std::equal(b.codes.raw(), b.codes.raw() + b.codes.bytes(), d.codes.raw()));
    EXPECT_TRUE(std::equal(b.scales.raw(), b.scales.raw() + b.scales.bytes(), d.scales.raw()));
  }
}

TEST(GroupCodes, WhatCompletesAGroupIsZero) {
  const Tensor w = random_tensor({20, 2});
  const GroupCodes codes = quantized(w, scheme_of(DType::u8, 16, 0), GroupLayout::outputs_first);
  const auto bytes = codes.codes.data<std::uint8_t>();
  const auto zeros = codes.zero_points.data<std::uint8_t>();
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t k = 20; k < 32; ++k) EXPECT_EQ(bytes[n * 32 + k], zeros[n * 2 + 1]);
}

TEST(GroupCodes, HalfWeightsHaveHalfScales) {
  const Tensor w = convert(random_tensor({32, 5}), DType::f16);
  const GroupCodes codes = quantized(w, scheme_of(DType::u4, 32, 0), GroupLayout::inputs_first);
  EXPECT_EQ(codes.scales.dtype(), DType::f16);
  EXPECT_LT(codes.noise, codes.signal * 0.01);
}

TEST(GroupCodes, NaNIsNamed) {
  Tensor w = random_tensor({32, 70});
  w.mutate<float>()[4 * 70 + 66] = std::nanf("");
  try {
    quantized(w, scheme_of(DType::u4, 32, 0), GroupLayout::outputs_first);
    FAIL() << "NaN has a code";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_NE(std::string(e.what()).find("input 4 goes into output 66"), std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace intaglio::testing
