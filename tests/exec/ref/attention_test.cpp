// Attention, RotaryEmbedding, TensorScatter, losses.
#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "lib/exec/ops/attention.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(24);

TEST(Attention, CausalQueriesSeeWhatIsBehindThem) {
  // Equal scores: the result is the mean of the values that a query sees.
  const auto y = run_text(head.graph(R"((float[1,1,3,2] q, float[1,1,3,2] k, float[1,1,3,1] v)
      => (float[1,1,3,1] y) { y = Attention <is_causal = 1> (q, k, v) })"),
                          {random_tensor({1, 1, 3, 2}), random_tensor({1, 1, 3, 2}, 1, 0, 0),
                           Tensor::of<float>({1, 1, 3, 1}, {3, 5, 10})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 1, 3, 1}, {3, 4, 6})));
}

TEST(Attention, AQueryThatSeesNothingGetsZeros) {
  const auto y = run_text(head.graph(R"((float[1,1,2,2] q, float[1,1,3,2] k, float[1,1,3,1] v,
      bool[2,3] m) => (float[1,1,2,1] y) { y = Attention (q, k, v, m) })"),
                          {random_tensor({1, 1, 2, 2}), random_tensor({1, 1, 3, 2}, 1, 0, 0),
                           Tensor::of<float>({1, 1, 3, 1}, {3, 5, 10}),
                           Tensor::of<bool>({2, 3}, {false, false, false, true, false, true})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 1, 2, 1}, {0, 6.5})));
}

TEST(Attention, NeighbouringHeadsShareKeys) {
  const Tensor q = random_tensor({1, 4, 2, 3}, 1), k = random_tensor({1, 2, 5, 3}, 2),
               v = random_tensor({1, 2, 5, 3}, 3);
  const auto y = run_text(head.graph(R"((float[1,4,2,3] q, float[1,2,5,3] k, float[1,2,5,3] v)
      => (float[1,4,2,3] y, float[1,4,2,3] z) {
    y = Attention (q, k, v)
    twice = Constant <value = int64[4] {0, 0, 1, 1}> ()
    kk = Gather <axis = 1> (k, twice)
    vv = Gather <axis = 1> (v, twice)
    z = Attention (q, kk, vv)
  })"),
                          {q, k, v});
  EXPECT_TRUE(close(y[0], y[1]));
}

TEST(Attention, ShapesThatDoNotFitAreRefused) {
  EXPECT_THROW(attend({random_tensor({1, 3, 2, 4}),
                       random_tensor({1, 2, 2, 4}),
                       random_tensor({1, 2, 2, 4}),
                       {}},
                      {}),
               Error);
  EXPECT_THROW(attend({random_tensor({1, 1, 2, 4}), random_tensor({1, 1, 2, 4}),
                       random_tensor({1, 1, 2, 4}), random_tensor({3, 2})},
                      {}),
               Error);
  const AttentionResult none = attend(
      {random_tensor({1, 1, 2, 4}), random_tensor({1, 1, 0, 4}), random_tensor({1, 1, 0, 3}), {}},
      {});
  EXPECT_TRUE(close(none.y, Tensor::of<float>({1, 1, 2, 3}, {0, 0, 0, 0, 0, 0})));
}

TEST(Attention, HeadsSplitAndJoin) {
  const Tensor x = random_tensor({2, 3, 8});
  EXPECT_TRUE(close(join_heads(split_heads(x, 4)), x));
  EXPECT_THROW(split_heads(x, 3), Error);
}

TEST(Attention, HeadsOfSomeColumns) {
  const Tensor x = Tensor::of<float>({1, 2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_TRUE(
      close(split_heads(x, 2, 1, 4), Tensor::of<float>({1, 2, 2, 2}, {1, 2, 6, 7, 3, 4, 8, 9})));
  EXPECT_THROW(split_heads(x, 2, 1, 3), Error);
  EXPECT_THROW(split_heads(x, 2, 2, 4), Error);
  EXPECT_THROW(split_heads(x, 2, -1, 4), Error);
}

TEST(TensorScatter, WritesAtThePlaceOfEachSample) {
  const TextModel model = head.graph(R"((float[2,3,1] c, float[2,2,1] u, int64[2] i)
      => (float[2,3,1] y) { y = TensorScatter <mode = "circular"> (c, u, i) })");
  const Tensor cache = Tensor::of<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor update = Tensor::of<float>({2, 2, 1}, {10, 20, 30, 40});
  const auto y = run_text(model, {cache, update, Tensor::of<std::int64_t>({2}, {1, 2})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 3, 1}, {1, 10, 20, 40, 5, 30})));
}

TEST(CrossEntropy, IgnoredClassesCountNothing) {
  const TextModel model = head.graph(R"((float[3,2] x, int64[3] t) => (float y, float z) {
    y = SoftmaxCrossEntropyLoss <ignore_index = -1> (x, t)
    z = NegativeLogLikelihoodLoss <reduction = "sum"> (x, t) })");
  const Tensor x = Tensor::of<float>({3, 2}, {0, 0, 1, 1, 5, 9});
  const TextModel single = head.graph(R"((float[3,2] x, int64[3] t) => (float y) {
    y = SoftmaxCrossEntropyLoss <ignore_index = -1> (x, t) })");
  const auto y = run_text(single, {x, Tensor::of<std::int64_t>({3}, {0, 1, -1})});
  EXPECT_TRUE(close(y[0], Tensor::scalar(0.6931472f)));
  const auto z = run_text(model, {x, Tensor::of<std::int64_t>({3}, {0, 1, 1})});
  EXPECT_TRUE(close(z[1], Tensor::scalar(-10.0f)));
  EXPECT_THROW(run_text(model, {x, Tensor::of<std::int64_t>({3}, {0, 1, 2})}), Error);
}

TEST(LinearAttention, KeepsASumOfOuterProducts) {
  // Depth 1: S adds up k v after half of it was forgotten; y is S q.
  const auto y =
      run_text(TextModel().opset(27).graph(
                   R"((float[1,2,1] q, float[1,2,1] k, float[1,2,1] v, float[1,2,1] d)
        => (float[1,2,1] y, float[1,1,1,1] s) {
      y, s = LinearAttention <q_num_heads = 1, kv_num_heads = 1, update_rule = "gated">
             (q, k, v, , d)
    })"),
               {Tensor::of<float>({1, 2, 1}, {1, 10}), Tensor::of<float>({1, 2, 1}, {1, 2}),
                Tensor::of<float>({1, 2, 1}, {4, 5}),
                Tensor::of<float>({1, 2, 1}, {-0.6931472f, -0.6931472f})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 2, 1}, {4, 120})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({1, 1, 1, 1}, {12})));
}

TEST(CausalConvWithState, GoesOnWhereItStopped) {
  const Tensor x = random_tensor({2, 3, 6}, 1), w = random_tensor({3, 1, 3}, 2);
  const auto y = run_text(TextModel().opset(27).graph(
                              R"((float[2,3,6] x, float[3,1,3] w)
        => (float[2,3,6] whole, float[2,3,6] conv, float[2,3,6] parts) {
    whole = CausalConvWithState (x, w)
    conv = Conv <group = 3, pads = [2, 0]> (x, w)
    a, b = Split <axis = 2, num_outputs = 2> (x)
    first, state = CausalConvWithState (a, w)
    second = CausalConvWithState (b, w, , state)
    parts = Concat <axis = 2> (first, second)
  })"),
                          {x, w});
  EXPECT_TRUE(close(y[0], y[1], 1e-4, 1e-5));
  EXPECT_TRUE(close(y[2], y[0], 1e-4, 1e-5));
}

}  // namespace
}  // namespace intaglio::testing
