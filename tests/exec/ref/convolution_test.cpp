// Conv, ConvTranspose and their integer forms against plain loops.
#include "lib/exec/ops/convolution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

struct Case {
  Shape x, w;
  std::int64_t group = 1;
  WindowAttrs attrs = {};
};

// The definition of convolution, for one image and any number of spatial axes.
Tensor slow_conv(const Tensor& x, const Tensor& w, std::int64_t group, const Window& window) {
  Shape shape{1, w.dim(0)};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  Tensor y(DType::f32, shape);
  float* out = y.mutate<float>().data();
  const std::int64_t per_group = w.dim(1), area = element_count(window.input);
  for (std::int64_t m = 0; m < w.dim(0); ++m) {
    Shape at(window.rank(), 0);
    do {
      double sum = 0;
      const float* weight = w.data<float>().data() + m * per_group * element_count(window.kernel);
      for (std::int64_t c = 0; c < per_group; ++c) {
        const float* image =
            x.data<float>().data() + (m / (w.dim(0) / group) * per_group + c) * area;
        Shape tap(window.rank(), 0);
        do {
          std::int64_t offset = 0;
          bool inside = true;
          for (std::size_t a = 0; a < at.size(); ++a) {
            const std::int64_t p =
                at[a] * window.strides[a] + tap[a] * window.dilations[a] - window.begin[a];
            inside = inside && p >= 0 && p < window.input[a];
            offset = offset * window.input[a] + p;
          }
          if (inside) sum += static_cast<double>(*weight) * static_cast<double>(image[offset]);
          ++weight;
        } while (next_position(tap, window.kernel));
      }
      *out++ = static_cast<float>(sum);
    } while (next_position(at, window.output));
  }
  return y;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {{1, 5, 9, 11}, {7, 5, 1, 1}},
      {{1, 3, 20, 33}, {13, 3, 3, 3}, 1, {.pads = {1, 1, 1, 1}}},
      {{1, 3, 20, 33}, {13, 3, 3, 3}, 1, {.strides = {2, 2}, .pads = {0, 0, 1, 1}}},
      {{1, 4, 17, 19},
       {6, 2, 3, 5},
       2,
       {.strides = {3, 2}, .dilations = {2, 3}, .pads = {2, 7, 1, 5}}},
      {{1, 4, 9, 9}, {4, 4, 3, 3}, 1, {.strides = {2, 1}, .auto_pad = "SAME_LOWER"}},
      {{1, 4, 10, 9}, {4, 4, 2, 4}, 1, {.auto_pad = "SAME_UPPER"}},
      {{1, 300, 5, 5}, {3, 300, 2, 2}},
      {{1, 2, 40, 60}, {3, 2, 2, 2}, 1, {.pads = {1, 0, 0, 1}}},
      {{1, 3, 50}, {5, 3, 7}, 1, {.strides = {3}, .dilations = {2}, .pads = {4, 9}}},
      {{1, 3, 6, 7, 8}, {4, 3, 3, 2, 3}, 1, {.strides = {1, 2, 2}, .pads = {1, 0, 1, 1, 1, 2}}},
      {{1, 6, 20, 70}, {6, 1, 3, 3}, 6, {.pads = {1, 1, 1, 1}}},
      {{1, 6, 21, 23}, {12, 1, 5, 3}, 6, {.strides = {2, 2}, .pads = {2, 1, 2, 1}}},
      {{1, 4, 7, 7},
       {4, 1, 3, 3},
       4,
       {.strides = {3, 3}, .dilations = {2, 2}, .pads = {1, 2, 3, 4}}},
      {{1, 5, 6, 5, 9}, {5, 1, 2, 3, 3}, 5, {.strides = {1, 1, 2}, .pads = {1, 1, 1, 0, 1, 1}}},
      {{1, 3, 9, 9}, {3, 1, 3, 3}, 3, {.pads = {-1, -2, -1, 0}}},
      {{1, 3, 9, 9}, {4, 3, 3, 3}, 1, {.pads = {-1, -2, -1, 0}}},
  };
  return all;
}

TEST(Convolution, AgreesWithTheDefinition) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(to_string(c.x) + " * " + to_string(c.w));
    const Tensor x = random_tensor(c.x, 1), w = random_tensor(c.w, 2);
    const Convolution convolution(w, c.group);
    const Window window = convolution.place(c.attrs, c.x);
    const Tensor expected = slow_conv(x, w, c.group, window);
    Tensor y(DType::f32, expected.shape());
    convolution.run(x.data<float>().data(), window, nullptr, y.mutate<float>().data());
    EXPECT_TRUE(close(y, expected, 1e-4, 1e-4));
  }
}

TEST(Convolution, OfIntegersIsExact) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(to_string(c.x) + " * " + to_string(c.w));
    Tensor x = random_tensor(c.x, 1, 200, 255), w = random_tensor(c.w, 2, 200, 255);
    for (float& v : x.mutate<float>()) v = std::floor(v);
    for (float& v : w.mutate<float>()) v = std::floor(v);
    const Convolution convolution(w, c.group);
    const Window window = convolution.place(c.attrs, c.x);
    const Tensor expected = slow_conv(x, w, c.group, window);
    std::vector<std::int32_t> y(static_cast<std::size_t>(expected.size()));
    convolution.run(x.data<float>().data(), window, y.data());
    for (std::size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(static_cast<float>(y[i]), expected.data<float>()[i]);
  }
}

TEST(Conv, AddsTheBiasToEveryImageAndGroup) {
  const auto y = run_text(
      "(float[2,2,1,2] x, float[2] b) => (float[2,2,1,2] y) <float[2,1,1,1] w = {2, 3}> { y = "
      "Conv<group = 2>(x, w, b) }",
      {Tensor::of<float>({2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
       Tensor::of<float>({2}, {10, 20})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 2, 1, 2}, {12, 14, 29, 32, 20, 22, 41, 44})));
}

TEST(Conv, ComputesHalfPrecisionInFloat) {
  const auto half = [](const Tensor& t) { return convert(t, DType::f16); };
  const Tensor x = half(random_tensor({1, 3, 5, 5})), w = half(random_tensor({2, 3, 3, 3}, 2));
  const auto y = run_text(
      "(float16[1,3,5,5] x, float16[2,3,3,3] w) => (float16[1,2,3,3] y) { y = Conv(x, w) }",
      {x, w});
  const Convolution convolution(convert(w, DType::f32), 1);
  const Tensor expected = slow_conv(convert(x, DType::f32), convert(w, DType::f32), 1,
                                    convolution.place({}, x.shape()));
  EXPECT_TRUE(close(y[0], half(expected), 1e-3));
}

TEST(Conv, RefusesShapesThatDoNotFit) {
  const auto code = [](const std::string& call, Shape x, Shape w) {
    Model model = TextModel().model("(float x, float w) => (float y) { y = " + call + " }");
    for (const char* name : {"x", "w"})
      model.graph().find(name)->set_type(DType::f32, std::nullopt);
    try {
      Executor(model.graph())
          .run(std::vector{random_tensor(std::move(x)), random_tensor(std::move(w))});
    } catch (const Error& e) {
      return e.code();
    }
    return Code{};
  };
  EXPECT_EQ(code("Conv(x, w)", {1, 3, 5, 5}, {2, 3, 3, 3}), Code{});
  EXPECT_EQ(code("Conv(x, w)", {1, 4, 5, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv(x, w)", {1, 3, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv(x, w)", {1, 3, 2, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv<group = 3>(x, w)", {1, 3, 5, 5}, {2, 1, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv<kernel_shape = [2, 3]>(x, w)", {1, 3, 5, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv<strides = [0, 1]>(x, w)", {1, 3, 5, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv<pads = [1, 1]>(x, w)", {1, 3, 5, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("Conv<auto_pad = \"ALL\">(x, w)", {1, 3, 5, 5}, {2, 3, 3, 3}), Code::model);
  EXPECT_EQ(code("ConvTranspose<group = 2>(x, w)", {1, 3, 5, 5}, {3, 1, 3, 3}), Code::model);
  EXPECT_EQ(code("ConvTranspose<strides = [0, 1]>(x, w)", {1, 3, 5, 5}, {3, 1, 3, 3}), Code::model);
}

// <conv(x), g> = <x, conv_transpose(g)>: the two operators are adjoint.
TEST(ConvTranspose, IsTheAdjointOfConv) {
  const std::string attrs = "<group = 2, strides = [2, 3], dilations = [1, 2], pads = [1, 0, 2, 1]";
  const Tensor x = random_tensor({2, 4, 10, 12}, 1), w = random_tensor({6, 2, 3, 2}, 2);
  const Tensor y =
      run_text("(float[2,4,10,12] x, float[6,2,3,2] w) => (float[A,B,C,D] y) { y = Conv " + attrs +
                   ">(x, w) }",
               {x, w})[0];
  const Tensor g = random_tensor(y.shape(), 3);
  const Tensor padded =
      run_text("(float[N,6,H,W] g, float[6,2,3,2] w) => (float[A,B,C,D] y) { y = ConvTranspose " +
                   attrs + ", output_padding = [0, 1]>(g, w) }",
               {g, w})[0];
  ASSERT_EQ(padded.shape(), x.shape());
  double left = 0, right = 0;
  for (std::size_t i = 0; i < g.data<float>().size(); ++i)
    left += static_cast<double>(y.data<float>()[i]) * static_cast<double>(g.data<float>()[i]);
  for (std::size_t i = 0; i < x.data<float>().size(); ++i)
    right += static_cast<double>(x.data<float>()[i]) * static_cast<double>(padded.data<float>()[i]);
  EXPECT_NEAR(left, right, 1e-3);
}

}  // namespace
}  // namespace intaglio
