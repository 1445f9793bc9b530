// com.microsoft's operators against compositions of standard ones.
#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(20).domain("com.microsoft");

// The model makes pairs of outputs that must agree.
void expect_pairs(const std::string& text, const std::vector<Tensor>& feeds) {
  const auto y = run_text(head.graph(text), feeds);
  ASSERT_EQ(y.size() % 2, 0u);
  for (std::size_t i = 0; i < y.size(); i += 2) EXPECT_TRUE(close(y[i], y[i + 1], 1e-4, 1e-5)) << i;
}

TEST(Microsoft, GelusAreThoseOfOnnx) {
  expect_pairs(R"((float[2,3] x, float[3] b) => (float[2,3] a, float[2,3] as, float[2,3] c,
      float[2,3] cs, float[2,3] d, float[2,3] ds, float[2,3] e, float[2,3] es) {
    sum = Add (x, b)
    a = com.microsoft.Gelu (x)
    as = Gelu (x)
    c = com.microsoft.BiasGelu (x, b)
    cs = Gelu (sum)
    d = com.microsoft.FastGelu (x, b)
    ds = Gelu <approximate = "tanh"> (sum)
    e = com.microsoft.QuickGelu <alpha = 1.5> (x)
    factor = Constant <value = float {1.5}> ()
    scaled = Mul (x, factor)
    gate = Sigmoid (scaled)
    es = Mul (x, gate)
  })",
               {random_tensor({2, 3}, 1, -3, 3), random_tensor({3}, 2)});
}

TEST(Microsoft, SkipLayerNormalizationNormalizesTheSum) {
  expect_pairs(R"((float[2,3,4] x, float[3,4] s, float[4] g, float[4] b, float[4] c)
      => (float[2,3,4] y, float[2,3,4] ys, float[2,3,4] t, float[2,3,4] ts) {
    y, m, v, t = com.microsoft.SkipLayerNormalization <epsilon = 0.01> (x, s, g, b, c)
    u = Add (x, s)
    ts = Add (u, c)
    ys = LayerNormalization <epsilon = 0.01> (ts, g, b)
  })",
               {random_tensor({2, 3, 4}, 1), random_tensor({3, 4}, 2), random_tensor({4}, 3),
                random_tensor({4}, 4), random_tensor({4}, 5)});
}

TEST(Microsoft, SimplifiedNormalizationDividesByTheRootMeanSquare) {
  expect_pairs(R"((float[2,4] x, float[2,4] s, float[4] g)
      => (float[2,4] y, float[2,4] ys, float[2,4] z, float[2,4] zs) {
    y = SimplifiedLayerNormalization <epsilon = 0.01> (x, g)
    two = Constant <value = float {2}> ()
    epsilon = Constant <value = float {0.01}> ()
    last = Constant <value = int64[1] {-1}> ()
    square = Pow (x, two)
    mean = ReduceMean (square, last)
    shifted = Add (mean, epsilon)
    root = Sqrt (shifted)
    ratio = Div (x, root)
    ys = Mul (ratio, g)
    z = com.microsoft.SkipSimplifiedLayerNormalization <epsilon = 0.01> (x, s, g)
    sum = Add (x, s)
    zs = SimplifiedLayerNormalization <epsilon = 0.01> (sum, g)
  })",
               {random_tensor({2, 4}, 1), random_tensor({2, 4}, 2), random_tensor({4}, 3)});
}

TEST(Microsoft, EmbedLayerNormalizationAddsThreeEmbeddings) {
  const std::vector<Tensor> feeds = {Tensor::of<std::int32_t>({2, 3}, {4, 0, 2, 1, 1, 3}),
                                     Tensor::of<std::int32_t>({2, 3}, {0, 0, 1, 1, 0, 1}),
                                     random_tensor({5, 4}, 1),
                                     random_tensor({3, 4}, 2),
                                     random_tensor({2, 4}, 3),
                                     random_tensor({4}, 4),
                                     random_tensor({4}, 5),
                                     Tensor::of<std::int32_t>({2, 3}, {1, 1, 0, 1, 0, 0})};
  const std::string text = R"((int32[2,3] i, int32[2,3] s, float[5,4] w, float[3,4] p,
      float[2,4] t, float[4] g, float[4] b, int32[2,3] m)
      => (float[2,3,4] y, float[2,3,4] ys, int32[2] valid, int32[2] counted) {
    y, valid = com.microsoft.EmbedLayerNormalization <epsilon = 0.01> (i, s, w, p, t, g, b, m)
    words = Gather (w, i)
    segments = Gather (t, s)
    two = Add (words, segments)
    sum = Add (two, p)
    ys = LayerNormalization <epsilon = 0.01> (sum, g, b)
    last = Constant <value = int64[1] {1}> ()
    counted = ReduceSum <keepdims = 0> (m, last)
  })";
  expect_pairs(text, feeds);
  auto broken = feeds;
  broken[0] = Tensor::of<std::int32_t>({2, 3}, {4, 0, 2, 1, 1, 5});
  EXPECT_THROW(run_text(head.graph(text), broken), Error);
}

TEST(Microsoft, FusedOperatorsAreTheirParts) {
  expect_pairs(R"((float[1,2,4,4] x, float[2,2,3,3] w, float[2] c, float[1,2,2,2] z,
      float[3,4] a, float[5,4] b, float[5] d) => (float[1,2,2,2] y, float[1,2,2,2] ys,
      float[3,5] u, float[3,5] us, float[3,5] v, float[3,5] vs) {
    y = com.microsoft.FusedConv <activation = "Relu"> (x, w, c, z)
    conv = Conv (x, w, c)
    sum = Add (conv, z)
    ys = Relu (sum)
    u = com.microsoft.FusedGemm <transB = 1, alpha = 0.5, activation = "LeakyRelu",
                                 activation_alpha = 0.25> (a, b, d)
    gemm = Gemm <transB = 1, alpha = 0.5> (a, b, d)
    us = LeakyRelu <alpha = 0.25> (gemm)
    v = com.microsoft.FusedMatMul <transB = 1, alpha = 0.5> (a, b)
    vs = Gemm <transB = 1, alpha = 0.5> (a, b)
  })",
               {random_tensor({1, 2, 4, 4}, 1), random_tensor({2, 2, 3, 3}, 2),
                random_tensor({2}, 3), random_tensor({1, 2, 2, 2}, 4), random_tensor({3, 4}, 5),
                random_tensor({5, 4}, 6), random_tensor({5}, 7)});
}

TEST(Microsoft, AttentionProjectsMasksAndAttends) {
  // One head of depth 2 over three places; the last place of the sample is padding.
  expect_pairs(
      R"((float[1,3,2] x, float[2,6] w, float[6] b, int32[1,3] m, float[1,1,3] lowered)
      => (float[1,3,2] y, float[1,3,2] ys, float[1,3,2] z, float[1,3,2] zs) {
    y = com.microsoft.Attention <num_heads = 1> (x, w, b, m)
    product = MatMul (x, w)
    all = Add (product, b)
    q, k, v = Split <axis = 2, num_outputs = 3> (all)
    z = com.microsoft.MultiHeadAttention <num_heads = 1> (q, k, v, , m)
    kt = Transpose <perm = [0, 2, 1]> (k)
    qk = MatMul (q, kt)
    root = Constant <value = float {0.70710678}> ()
    scaled = Mul (qk, root)
    masked = Add (scaled, lowered)
    p = Softmax (masked)
    ys = MatMul (p, v)
    zs = Identity (ys)
  })",
      {random_tensor({1, 3, 2}, 1), random_tensor({2, 6}, 2), random_tensor({6}, 3),
       Tensor::of<std::int32_t>({1, 3}, {1, 1, 0}), Tensor::of<float>({1, 1, 3}, {0, 0, -10000})});
}

TEST(Microsoft, RotaryEmbeddingTurnsPairs) {
  const auto run = [](int interleaved) {
    return run_text(
        head.graph(R"((float[1,2,4] x, int64[1] p, float[3,2] c, float[3,2] s)
        => (float[1,2,4] y) {
      y = com.microsoft.RotaryEmbedding <interleaved = )" +
                   std::to_string(interleaved) + "> (x, p, c, s) }"),
        {Tensor::of<float>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), Tensor::of<std::int64_t>({1}, {1}),
         Tensor::of<float>({3, 2}, {9, 9, 0, 1, -1, 0}),
         Tensor::of<float>({3, 2}, {9, 9, 1, 0, 0, 1})})[0];
  };
  EXPECT_TRUE(close(run(0), Tensor::of<float>({1, 2, 4}, {-3, 2, 1, 4, -5, -8, -7, 6})));
  EXPECT_TRUE(close(run(1), Tensor::of<float>({1, 2, 4}, {-2, 1, 3, 4, -5, -6, -8, 7})));
}

TEST(Microsoft, MatMulNBitsAtAccuracyLevel4RoundsItsDataByBlock) {
  // Two blocks of 8, of which the second ends early: 100 / 127 and 1 / 127 are the steps.
  const std::string text = R"((float[1,10] a) => (float[1,1] y)
      <uint8[1,2,8] w = {129,128,128,128,128,128,128,128, 128,129,0,0,0,0,0,0}, float[2] s = {1, 1}> {
    y = com.microsoft.MatMulNBits <K = 10, N = 1, bits = 8, block_size = 8, accuracy_level = 4>
        (a, w, s) })";
  const auto y =
      run_text(head.graph(text), {Tensor::of<float>({1, 10}, {1, 100, 0, 0, 0, 0, 0, 0, 1, 0.3f})});
  EXPECT_NEAR(y[0].item<float>(), 100.0f / 127 + 38.0f / 127, 1e-5);
}

TEST(Microsoft, MatMulNBitsUnpacksBlocks) {
  // K = 10 in two blocks of 8; every weight is q - 8 times its scale, so 1, 2, 3, ... here.
  std::vector<std::uint8_t> packed;
  for (int i = 0; i < 4; ++i) packed.push_back(static_cast<std::uint8_t>(9 + (10 << 4)));
  for (int i = 0; i < 4; ++i) packed.push_back(static_cast<std::uint8_t>(11 + (8 << 4)));
  const auto y =
      run_text(head.graph(R"((float[1,10] a, uint8[1,2,4] w, float[2] s)
      => (float[1,1] y) {
    y = com.microsoft.MatMulNBits <K = 10, N = 1, bits = 4, block_size = 8> (a, w, s) })"),
               {Tensor::of<float>({1, 10}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
                Tensor::vector(packed).reshaped({1, 2, 4}), Tensor::of<float>({2}, {1, 10})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 1}, {4 * (1 + 2) + 10 * 3})));
}

}  // namespace
}  // namespace intaglio::testing
