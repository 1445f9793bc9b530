#include "lib/exec/ops/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

// The slow twin of broadcast_map(): one element at a time, by coordinates.
Tensor slow_broadcast(const Tensor& a, const Tensor& b, float (*f)(float, float)) {
  Tensor y(DType::f32, broadcast_shapes(a.shape(), b.shape()));
  const auto out = y.mutate<float>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto at = [&](const Tensor& t) {
      std::int64_t rest = static_cast<std::int64_t>(i), offset = 0;
      const Shape strides = broadcast_strides(t.shape(), y.shape());
      for (std::size_t d = strides.size(); d-- > 0; rest /= y.dim(d))
        offset += rest % y.dim(d) * strides[d];
      return t.data<float>()[static_cast<std::size_t>(offset)];
    };
    out[i] = f(at(a), at(b));
  }
  return y;
}

float subtract(float a, float b) { return a - b; }

TEST(Elementwise, EveryKindOfBroadcastAgreesWithTheSlowTwin) {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}}, {{2, 3, 4, 5}, {}},           {{}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {3, 1, 1}},    {{1, 3, 1, 1}, {2, 3, 4, 5}}, {{2, 3, 4, 5}, {5}},
      {{2, 3, 4, 5}, {2, 1, 4, 1}}, {{2, 1, 4, 1}, {3, 1, 5}},    {{4, 1}, {1, 4}},
      {{2, 3, 1, 1}, {3, 1, 1}},    {{2, 0, 3}, {1, 1, 3}},       {{1}, {1, 1}}};
  for (const auto& [a, b] : cases) {
    const Tensor x = random_tensor(a, 1), y = random_tensor(b, 2);
    EXPECT_TRUE(close(broadcast_map<float>(x, y, subtract), slow_broadcast(x, y, subtract), 0, 0))
        << to_string(a) << " " << to_string(b);
  }
}

TEST(Elementwise, ShapesThatDoNotBroadcastAreAModelError) {
  try {
    run_text("(float[N,M] x, float[K] y) => (float[A,B] z) { z = Add(x, y) }",
             {random_tensor({2, 3}), random_tensor({2})});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_NE(std::string(e.what()).find("[2,3] and [2] do not broadcast"), std::string::npos);
  }
}

TEST(Elementwise, OldOpsetsAlignByAxis) {
  const auto y =
      run_text(TextModel().opset(6).graph("(float[1,2,2] x, float[2] b) => (float[1,2,2] y) "
                                          "{ y = Add<broadcast = 1, axis = 1>(x, b) }"),
               {Tensor::of<float>({1, 2, 2}, {0, 0, 0, 0}), Tensor::of<float>({2}, {1, 2})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 2, 2}, {1, 1, 2, 2})));
}

Tensor run_unary(const std::string& call, const Tensor& x) {
  const std::string type = std::string(name_of(x.dtype())) + "[N] ";
  return run_text(TextModel().opset(21).input(type + "x").output(type + "y").nodes("y = " + call),
                  {x})[0];
}

TEST(Unary, SpecialValuesStay) {
  const float nan = std::nanf(""), inf = INFINITY;
  const Tensor x = Tensor::of<float>({5}, {nan, inf, -inf, -0.0f, 2.5f});
  EXPECT_TRUE(close(run_unary("Relu(x)", x), Tensor::of<float>({5}, {nan, inf, 0, 0, 2.5f})));
  EXPECT_TRUE(close(run_unary("Round(x)", x), Tensor::of<float>({5}, {nan, inf, -inf, 0, 2})));
  EXPECT_TRUE(close(run_unary("Sigmoid(x)", x),
                    Tensor::of<float>({5}, {nan, 1, 0, 0.5f, 0.92414182f}), 1e-6, 0));
  EXPECT_TRUE(close(run_unary("Softplus(x)", x),
                    Tensor::of<float>({5}, {nan, inf, 0, 0.69314718f, 2.57888973f}), 1e-6, 0));
}

TEST(Unary, IntegersWrapAndNeverTrap) {
  constexpr auto least = std::numeric_limits<std::int32_t>::min();
  const Tensor x = Tensor::of<std::int32_t>({3}, {least, -3, 4});
  EXPECT_TRUE(close(run_unary("Abs(x)", x), Tensor::of<std::int32_t>({3}, {least, 3, 4}), 0, 0));
  EXPECT_TRUE(close(run_unary("Neg(x)", x), Tensor::of<std::int32_t>({3}, {least, 3, -4}), 0, 0));
  EXPECT_TRUE(close(run_unary("Mul(x, x)", x), Tensor::of<std::int32_t>({3}, {0, 9, 16}), 0, 0));
  try {
    run_unary("Div(x, z) z = Sub(x, x)", x);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("division of an integer by zero"), std::string::npos);
  }
}

TEST(Unary, HalfPrecisionComputesInFloat) {
  const Tensor x = convert(Tensor::of<float>({2}, {1, -2}), DType::f16);
  EXPECT_TRUE(close(run_unary("Exp(x)", x),
                    convert(Tensor::of<float>({2}, {2.7182817f, 0.13533528f}), DType::f16), 0, 0));
}

TEST(Clip, BoundsAreAttributesThenInputs) {
  const Tensor x = Tensor::of<float>({4}, {-2, 0.5f, 3, std::nanf("")});
  const Tensor expected = Tensor::of<float>({4}, {-1, 0.5f, 1, std::nanf("")});
  EXPECT_TRUE(
      close(run_text(TextModel().opset(6).graph(
                         "(float[4] x) => (float[4] y) { y = Clip<min = -1.0, max = 1.0>(x) }"),
                     {x})[0],
            expected));
  EXPECT_TRUE(close(
      run_unary(
          "Clip(x, lo, hi) lo = Constant<value_float = -1.0>() hi = Constant<value_float = 1.0>()",
          x),
      expected));
  const Tensor bytes = Tensor::of<std::uint8_t>({2}, {1, 200});
  EXPECT_TRUE(close(run_unary("Clip(x)", bytes), bytes, 0, 0));
}

TEST(Cast, FloatsTruncateAndSaturate) {
  const Tensor x = Tensor::of<float>({5}, {-1.9f, 1.9f, 300, -300, std::nanf("")});
  const auto y = run_text(
      "(float[5] x) => (uint8[5] u, int8[5] s) { u = Cast<to = 2>(x) s = Cast<to = 3>(x) }", {x});
  EXPECT_TRUE(close(y[0], Tensor::of<std::uint8_t>({5}, {0, 1, 255, 0, 0}), 0, 0));
  EXPECT_TRUE(close(y[1], Tensor::of<std::int8_t>({5}, {-1, 1, 127, -128, 0}), 0, 0));
  EXPECT_THROW(run_text("(float[5] x) => (string[5] y) { y = Cast<to = 8>(x) }", {x}), Error);
}

}  // namespace
}  // namespace intaglio
