// RNN, GRU and LSTM; the conformance vectors cover the arithmetic of the gates.
#include "lib/exec/ops/recurrent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

const TextModel head = TextModel().opset(14);

TEST(Rnn, RunsBothDirectionsWithinTheLengths) {
  // One input, one hidden unit: h = x + 0.5 h.
  const auto y =
      run_text(head.graph("(float[3,2,1] x) => (float[3,2,2,1] y, float[2,2,1] h) "
                          "<float[2,1,1] w = {1, 1}, float[2,1,1] r = "
                          "{0.5, 0.5}, int32[2] n = {3, 2}> { y, h = RNN<hidden_size = 1, "
                          "direction = \"bidirectional\", "
                          "activations = [\"Affine\", \"Affine\"]>(x, w, r, , n) }"),
               {Tensor::of<float>({3, 2, 1}, {1, 10, 2, 20, 4, 40})});
  // [step][direction][sample]
  EXPECT_TRUE(
      close(y[0], Tensor::of<float>({3, 2, 2, 1}, {1, 10, 3, 20, 2.5, 25, 4, 20, 5.25, 0, 4, 0})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({2, 2, 1}, {5.25, 25, 3, 20})));
}

TEST(Lstm, LayoutsAgree) {
  const Tensor x = random_tensor({3, 2, 4}, 1);
  Tensor turned(DType::f32, {2, 3, 4});
  for (std::size_t t = 0; t < 3; ++t)
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t i = 0; i < 4; ++i)
        turned.mutate<float>()[(n * 3 + t) * 4 + i] = x.data<float>()[(t * 2 + n) * 4 + i];
  const std::vector<Tensor> weights{random_tensor({1, 20, 4}, 2), random_tensor({1, 20, 5}, 3),
                                    random_tensor({1, 40}, 4)};
  const auto run = [&](const Tensor& input, const std::string& layout) {
    return run_text(
        head.graph("(float[A,B,4] x, float[1,20,4] w, float[1,20,5] r, float[1,40] b) => "
                   "(float[C,D,E,F] y, float[G,H,I] h, float[J,K,L] c) "
                   "{ y, h, c = LSTM<hidden_size = 5, layout = " +
                   layout + ">(x, w, r, b) }"),
        {input, weights[0], weights[1], weights[2]});
  };
  const auto a = run(x, "0"), b = run(turned, "1");
  EXPECT_EQ(a[0].shape(), (Shape{3, 1, 2, 5}));
  EXPECT_EQ(b[0].shape(), (Shape{2, 3, 1, 5}));
  EXPECT_EQ(a[1].to_vector<float>(), b[1].to_vector<float>());
  EXPECT_EQ(a[2].to_vector<float>(), b[2].to_vector<float>());
}

TEST(Gru, ResetsBeforeOrAfterTheProduct) {
  // Without a recurrent bias and with one hidden unit both forms are the same.
  const std::string inputs =
      "(float[2,1,3] x, float[1,3,3] w, float[1,3,1] r) => (float[2,1,1,1] y) ";
  const std::vector<Tensor> feeds{random_tensor({2, 1, 3}), random_tensor({1, 3, 3}, 2),
                                  random_tensor({1, 3, 1}, 3)};
  EXPECT_TRUE(close(
      run_text(head.graph(inputs + "{ y = GRU<hidden_size = 1>(x, w, r) }"), feeds)[0],
      run_text(
          head.graph(inputs + "{ y = GRU<hidden_size = 1, linear_before_reset = 1>(x, w, r) }"),
          feeds)[0]));
  EXPECT_THROW(run_text(head.graph(inputs + "{ y = GRU<hidden_size = 2>(x, w, r) }"), feeds),
               Error);
  EXPECT_THROW(
      run_text(head.graph(inputs + "{ y = GRU<activations = [\"Tanh\", \"Magic\"]>(x, w, r) }"),
               feeds),
      Error);
}

TEST(Lstm, ClipsWhatGoesIntoTheGatesOnly) {
  const auto y = run_text(
      head.graph(R"((float[1,1,1] x, float[1,4,1] w, float[1,4,1] r, float[1,1,1] h, float[1,1,1] c)
        => (float[1,1,1] yh, float[1,1,1] yc) {
      y, yh, yc = LSTM <hidden_size = 1, clip = 0.5> (x, w, r, , , h, c)
    })"),
      {Tensor::of<float>({1, 1, 1}, {1}), Tensor::of<float>({1, 4, 1}, {9, 9, 9, 9}),
       Tensor::of<float>({1, 4, 1}, {0, 0, 0, 0}), Tensor::of<float>({1, 1, 1}, {0}),
       Tensor::of<float>({1, 1, 1}, {10})});
  const float gate = 0.62245933f, cell = gate * 10 + gate * 0.46211716f;
  EXPECT_TRUE(close(y[1], Tensor::of<float>({1, 1, 1}, {cell})));
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 1, 1}, {gate * std::tanh(cell)})));
}

}  // namespace
}  // namespace intaglio
