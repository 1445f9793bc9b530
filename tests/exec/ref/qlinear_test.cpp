// Operators on 8-bit codes: against vectors computed with ONNX Runtime 1.31 on x86-64, and against
// quantize(op(dequantize(codes))), from which they may be one level away.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/exec/ops/codes/arithmetic.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::run_text;
using testing::TextModel;

using Bytes = std::vector<std::uint8_t>;

const Bytes a_codes = {241, 160, 175, 229, 148, 198, 213, 57, 14, 76, 72, 223};
const Bytes b_codes = {233, 1, 127, 210, 33, 204, 30, 119, 209, 77, 87, 71};
const Bytes image = {184, 65,  253, 113, 122, 129, 149, 141, 130,
                     254, 206, 202, 179, 159, 87,  253, 119, 55};
constexpr CodeParams a_params{0.02f, 120}, b_params{0.03f, 7};

Tensor codes(Shape shape, const Bytes& values) {
  return Tensor::of<std::uint8_t>(std::move(shape), values);
}

const TextModel head = TextModel().domain("com.microsoft");

// Inputs "name, name_s, name_z" in the declaration of a graph.
std::string declare(const char* name, const char* shape, const char* type = "uint8") {
  return fmt::format("{1}[{2}] {0}, float {0}_s, {1} {0}_z", name, type, shape);
}

void feed(std::vector<Tensor>& feeds, const Tensor& tensor, CodeParams params) {
  feeds.push_back(tensor);
  feeds.push_back(Tensor::scalar(params.scale));
  feeds.push_back(convert(Tensor::scalar(params.zero), tensor.dtype()));
}

// Runs an operator of one tensor, given as "QLinearSigmoid <...>", for a result of these
// parameters.
Bytes run_unary(const std::string& op, const std::string& attrs, const Tensor& x, CodeParams from,
                CodeParams to) {
  std::string dims;
  for (const std::int64_t d : x.shape()) dims += (dims.empty() ? "" : ",") + std::to_string(d);
  std::vector<Tensor> feeds;
  feed(feeds, x, from);
  feeds.push_back(Tensor::scalar(to.scale));
  feeds.push_back(convert(Tensor::scalar(to.zero), DType::u8));
  return run_text(head.graph("(" + declare("x", dims.c_str()) +
                             ", float y_s, uint8 y_z) => (uint8[] y) { y = com.microsoft." + op +
                             attrs + "(x, x_s, x_z, y_s, y_z) }"),
                  feeds)[0]
      .to_vector<std::uint8_t>();
}

Tensor run_binary(const std::string& op, const Tensor& a, CodeParams a_p, const Tensor& b,
                  CodeParams b_p, CodeParams to, const char* a_shape, const char* b_shape) {
  std::vector<Tensor> feeds;
  feed(feeds, a, a_p);
  feed(feeds, b, b_p);
  feeds.push_back(Tensor::scalar(to.scale));
  feeds.push_back(convert(Tensor::scalar(to.zero), a.dtype()));
  const char* type = a.dtype() == DType::u8 ? "uint8" : "int8";
  return run_text(
      head.graph("(" + declare("a", a_shape, type) + ", " + declare("b", b_shape, type) +
                 ", float y_s, " + type + " y_z) => (" + type + "[] y) { y = com.microsoft." + op +
                 "(a, a_s, a_z, b, b_s, b_z, y_s, y_z) }"),
      feeds)[0];
}

TEST(QLinear, AddAndMulGiveTheBitsOfTheRuntime) {
  const Tensor a = codes({12}, a_codes), b = codes({12}, b_codes);
  const CodeParams y{0.05f, 60};
  EXPECT_EQ(
      run_binary("QLinearAdd", a, a_params, b, b_params, y, "12", "12").to_vector<std::uint8_t>(),
      (Bytes{244, 72, 154, 225, 87, 209, 111, 102, 139, 84, 89, 140}));
  EXPECT_EQ(
      run_binary("QLinearMul", a, a_params, b, b_params, y, "12", "12").to_vector<std::uint8_t>(),
      (Bytes{255, 57, 139, 255, 69, 244, 86, 0, 0, 23, 14, 139}));
}

// All pairs of codes, through the three ways in which operands repeat.
TEST(QLinear, AddAndMulStayWithinOneLevelOfTheDefinition) {
  for (const DType type : {DType::u8, DType::s8}) {
    const CodeRange range = code_range(type);
    std::vector<std::int32_t> all;
    for (std::int32_t c = range.lo; c <= range.hi; ++c) all.push_back(c);
    const Tensor column = convert(Tensor::of<std::int32_t>({256, 1}, all), type);
    const Tensor row = convert(Tensor::of<std::int32_t>({256}, all), type);
    const CodeParams p{0.02f, 5}, q{0.03f, -9 + (type == DType::u8 ? 100 : 0)}, y{0.06f, 11};
    for (const bool product : {false, true}) {
      const auto out =
          run_binary(product ? "QLinearMul" : "QLinearAdd", column, p, row, q, y, "256,1", "256")
              .to_vector<std::int32_t>();
      ASSERT_EQ(out.size(), 65536u);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double x = (all[i / 256] - p.zero) * 0.02, z = (all[i % 256] - q.zero) * 0.03;
        const double exact = std::nearbyint((product ? x * z : x + z) / 0.06) + y.zero;
        const double expected =
            std::clamp<double>(exact, static_cast<double>(range.lo), static_cast<double>(range.hi));
        ASSERT_LE(std::abs(out[i] - expected), 1) << name_of(type) << ' ' << i;
      }
    }
  }
}

TEST(QLinear, BroadcastsBothWays) {
  const Tensor a = codes({2, 2, 3}, a_codes), b = codes({2, 1}, {200, 30});
  const CodeParams y{0.05f, 60};
  const Tensor one = run_binary("QLinearAdd", a, a_params, b, b_params, y, "2,2,3", "2,1");
  const Tensor two = run_binary("QLinearAdd", b, b_params, a, a_params, y, "2,1", "2,2,3");
  EXPECT_EQ(one.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(one.to_vector<int>(), two.to_vector<int>());
  EXPECT_EQ(one.to_vector<int>()[0], 224);  // (121 * 0.02 + 193 * 0.03) / 0.05 + 60
}

TEST(QLinear, PoolsGiveTheBitsOfTheRuntime) {
  const Tensor x = codes({1, 2, 3, 3}, image);
  EXPECT_EQ(run_unary("QLinearAveragePool", " <kernel_shape = [2, 2]> ", x, a_params, {0.01f, 100}),
            (Bytes{102, 144, 122, 121, 255, 187, 215, 70}));
  EXPECT_EQ(run_unary("QLinearGlobalAveragePool", "", x, a_params, {0.01f, 100}),
            (Bytes{146, 196}));
}

TEST(QLinear, FunctionsOfOneCodeGiveTheBitsOfTheRuntime) {
  const Tensor x = codes({12}, a_codes);
  EXPECT_EQ(run_unary("QLinearSigmoid", "", x, a_params, {1.0f / 256, 0}),
            (Bytes{235, 177, 192, 230, 163, 212, 222, 57, 27, 75, 71, 227}));
  EXPECT_EQ(run_unary("QLinearLeakyRelu", " <alpha = 0.1> ", x, a_params, {0.012f, 40}),
            (Bytes{242, 107, 132, 222, 87, 170, 195, 30, 22, 33, 32, 212}));
}

TEST(QLinear, SoftmaxAlongAnyAxis) {
  const Bytes expected{90, 18, 24, 71, 14, 38, 106, 5, 2, 7, 6, 130};
  const CodeParams y{1.0f / 256, 0};
  EXPECT_EQ(
      run_unary("QLinearSoftmax", " <opset = 13, axis = -1> ", codes({2, 6}, a_codes), a_params, y),
      expected);
  Bytes turned(12), turned_expected(12);
  for (std::size_t i = 0; i < 12; ++i) {
    turned[i % 6 * 2 + i / 6] = a_codes[i];
    turned_expected[i % 6 * 2 + i / 6] = expected[i];
  }
  EXPECT_EQ(
      run_unary("QLinearSoftmax", " <opset = 13, axis = 0> ", codes({6, 2}, turned), a_params, y),
      turned_expected);
  // Before opset 13 a slice goes on to the last axis.
  EXPECT_EQ(run_unary("QLinearSoftmax", " <opset = 11, axis = 1> ", codes({2, 3, 2}, a_codes),
                      a_params, y),
            expected);
}

TEST(QLinear, ConcatConvertsToTheCommonScale) {
  std::vector<Tensor> feeds = {Tensor::scalar(0.05f), Tensor::scalar<std::uint8_t>(60)};
  feed(feeds, codes({12}, a_codes), a_params);
  feed(feeds, codes({12}, b_codes), b_params);
  const auto y = run_text(
      head.graph("(float y_s, uint8 y_z, " + declare("a", "12") + ", " + declare("b", "12") +
                 ") => (uint8[24] y) { y = com.microsoft.QLinearConcat <axis = 0> "
                 "(y_s, y_z, a, a_s, a_z, b, b_s, b_z) }"),
      feeds);
  EXPECT_EQ(y[0].to_vector<std::uint8_t>(),
            (Bytes{108, 76, 82,  104, 71, 91,  97, 35,  18,  42,  41,  101,
                   196, 56, 132, 182, 76, 178, 74, 127, 181, 102, 108, 98}));
}

TEST(QLinear, WhereConvertsBothSides) {
  std::vector<Tensor> feeds = {
      convert(Tensor::of<std::uint8_t>({4}, {1, 0, 1, 0}), DType::boolean)};
  feed(feeds, codes({4}, {241, 160, 175, 229}), a_params);
  feed(feeds, codes({4}, {233, 1, 127, 210}), b_params);
  feeds.push_back(Tensor::scalar(0.05f));
  feeds.push_back(Tensor::scalar<std::uint8_t>(60));
  const auto y =
      run_text(head.graph("(bool[4] c, " + declare("x", "4") + ", " + declare("k", "4") +
                          ", float y_s, uint8 y_z) => (uint8[4] y) { y = "
                          "com.microsoft.QLinearWhere(c, x, x_s, x_z, k, k_s, k_z, y_s, y_z) }"),
               feeds);
  EXPECT_EQ(y[0].to_vector<std::uint8_t>(), (Bytes{108, 56, 82, 182}));
}

// B as a graph input and as a constant, which is packed when the kernel is made; plain or stored
// transposed.
class Products : public ::testing::TestWithParam<bool> {
 protected:
  Tensor run(const std::string& op, bool transpose, const std::string& inputs,
             std::vector<Tensor> more, const std::string& declared, const char* result) const {
    const std::string shape = transpose ? "[4,3]" : "[3,4]";
    const std::string values = transpose ? "{-14,120,82,-118,-9,33,-91,79,-15,4,106,4}"
                                         : "{-14,-118,-91,4,120,-9,79,106,82,33,-15,4}";
    std::vector<Tensor> feeds = {codes({2, 3}, {216, 41, 219, 156, 29, 11})};
    std::string graph = "(uint8[2,3] a";
    if (!GetParam()) {
      graph += ", int8" + shape + " b";
      feeds.push_back(transpose ? Tensor::of<std::int8_t>(
                                      {4, 3}, {-14, 120, 82, -118, -9, 33, -91, 79, -15, 4, 106, 4})
                                : Tensor::of<std::int8_t>({3, 4}, {-14, -118, -91, 4, 120, -9, 79,
                                                                   106, 82, 33, -15, 4}));
    }
    graph += declared + ") => (" + result + "[2,4] y) <float a_s = {0.02}, uint8 a_z = {120}, " +
             "float[4] b_s = {0.01, 0.02, 0.005, 0.03}, int8[4] b_z = {0, 0, 0, 0}, " +
             "int32[4] c = {100, -200, 300, 5}" +
             (GetParam() ? ", int8" + shape + " b = " + values : "") + "> { y = com.microsoft." +
             op + (transpose ? " <transB = 1> " : "") + inputs + " }";
    feeds.insert(feeds.end(), more.begin(), more.end());
    return run_text(head.graph(graph), feeds)[0];
  }
};

TEST_P(Products, GemmGivesTheBitsOfTheRuntime) {
  const std::string operands = "(a, a_s, a_z, b, b_s, b_z, c";
  for (const bool transpose : {false, true}) {
    const Tensor y = run("QGemm", transpose, operands + ", y_s, y_z)",
                         {Tensor::scalar(0.1f), Tensor::scalar<std::uint8_t>(100)},
                         ", float y_s, uint8 y_z", "uint8");
    EXPECT_EQ(y.to_vector<std::uint8_t>(), (Bytes{95, 70, 84, 54, 59, 71, 91, 40}));
    EXPECT_TRUE(close(
        run("QGemm", transpose, operands + ")", {}, "", "float"),
        Tensor::of<float>({2, 4}, {-0.5212000012397766f, -3.0199999809265137f, -1.6161999702453613f,
                                   -4.553399562835693f, -4.0524001121521f, -2.890399932861328f,
                                   -0.8529999852180481f, -5.959799766540527f}),
        0, 0));
  }
}

TEST_P(Products, MatMulIntegerToFloatGivesTheBitsOfTheRuntime) {
  EXPECT_TRUE(close(
      run("MatMulIntegerToFloat", false, "(a, b, a_s, b_s, a_z, b_z)", {}, "", "float"),
      Tensor::of<float>({2, 4}, {-0.5411999821662903f, -2.93999981880188f, -1.6461999416351318f,
                                 -4.556399822235107f, -4.072400093078613f, -2.8104000091552734f,
                                 -0.8829999566078186f, -5.962799549102783f}),
      0, 0));
}

INSTANTIATE_TEST_SUITE_P(QLinear, Products, ::testing::Bool());

TEST(QLinear, ConvGivesTheBitsOfTheRuntime) {
  const auto y = run_text(
      head.graph(
          "(uint8[1,2,3,3] x) => (uint8[1,2,3,3] y) <float x_s = {0.02}, uint8 x_z = {120}, "
          "int8[2,1,2,2] w = {-60,-1,-31,-64,126,-124,-103,-78}, float[2] w_s = {0.01, 0.003}, "
          "int8[2] w_z = {0, 0}, float y_s = {0.05}, uint8 y_z = {90}, "
          "int32[2] b = {1000, -500}> "
          "{ y = QLinearConv <group = 2, pads = [1, 1, 0, 0]> "
          "(x, x_s, x_z, w, w_s, w_z, y_s, y_z, b) }"),
      {codes({1, 2, 3, 3}, image)});
  EXPECT_EQ(y[0].to_vector<std::uint8_t>(),
            (Bytes{78, 100, 67, 96, 79, 104, 87, 87, 88, 77, 65, 71, 64, 86, 88, 68, 76, 106}));
}

TEST(QLinear, RefusesWhatItCannotDo) {
  const Tensor x = codes({12}, a_codes);
  EXPECT_THROW(run_unary("QLinearSoftmax", "", x, a_params, {}), Error);  // opset is missing
  EXPECT_THROW(run_unary("QLinearGlobalAveragePool", " <channels_last = 1> ",
                         codes({1, 2, 3, 3}, image), a_params, {}),
               Error);
  EXPECT_THROW(
      run_binary("QLinearAdd", x, a_params, codes({5}, {1, 2, 3, 4, 5}), b_params, {}, "12", "5"),
      Error);
  EXPECT_THROW(require_codes(DType::u16), Error);
}

TEST(Requantize, ByColumnEqualsByElement) {
  const Tensor sums = Tensor::of<std::int32_t>({2, 3}, {1000, -70000, 5, 37, 123456, -9});
  const Tensor scale = Tensor::of<float>({3}, {0.013f, 0.00051f, 1.5f});
  for (const DType type : {DType::u8, DType::s8}) {
    const CodeRange range = code_range(type);
    const auto y = requantize(sums, scale, Tensor::scalar(3), ScaleMap({2, 3}, {3}, -1, 0), type)
                       .to_vector<int>();
    for (std::size_t i = 0; i < y.size(); ++i) {
      const float v = static_cast<float>(sums.data<std::int32_t>()[i]) * scale.data<float>()[i % 3];
      EXPECT_EQ(y[i], std::clamp(static_cast<int>(std::nearbyint(v)) + 3, range.lo, range.hi));
    }
  }
}

}  // namespace
}  // namespace intaglio
