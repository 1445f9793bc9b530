#include "lib/quant/array.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/support.h"

namespace intaglio {
namespace {

const Scheme per_tensor{DType::s8, true, false, {}};

Scheme per_channel(int axis) { return {DType::s8, true, false, axis}; }

TEST(Array, RoundsHalfToEvenAndClampsToTheCodesOfTheScheme) {
  const QParams p{DType::s8, {}, {1.0f}, {0}};
  const Tensor x = Tensor::of<float>({8}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 126.6f, 1000, -1000});
  const Tensor q = quantize(x, p, per_tensor);
  EXPECT_EQ(q.to_vector<int>(), (std::vector<int>{0, 2, 2, 0, -2, 127, 127, -127}));
  EXPECT_EQ(count_clipped(x, p, per_tensor), 2u);
}

TEST(Array, RangesRunAlongTheAxis) {
  const Tensor w = Tensor::of<float>({2, 3}, {1, -5, 3, -2, 4, 0});
  EXPECT_EQ(ranges_of(w, std::nullopt), (std::vector<Range>{{-5, 4}}));
  EXPECT_EQ(ranges_of(w, 0), (std::vector<Range>{{-5, 3}, {-2, 4}}));
  EXPECT_EQ(ranges_of(w, 1), (std::vector<Range>{{-2, 1}, {-5, 4}, {0, 3}}));
  EXPECT_EQ(ranges_of(Tensor(DType::f32, {0, 4}), std::nullopt), (std::vector<Range>{{0, 0}}));
}

TEST(Array, ANaNInAWeightIsAnError) {
  const Tensor w = Tensor::of<float>({2}, {1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THROW(ranges_of(w, std::nullopt), Error);
}

TEST(Array, DequantizedWeightsAreWithinHalfAStep) {
  const Tensor w = testing::random_tensor({4, 3, 5}, 7, -3, 2);
  for (int axis = 0; axis < 3; ++axis) {
    const Scheme scheme = per_channel(axis);
    const QParams p = choose_qparams(ranges_of(w, axis), scheme);
    const Tensor back = dequantize(quantize(w, p, scheme), p);
    const float widest = *std::max_element(p.scale.begin(), p.scale.end());
    const auto a = w.data<float>(), b = back.data<float>();
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_LE(std::abs(a[i] - b[i]), widest * 0.5001f);
    EXPECT_GT(sqnr_db(w, back), 40);
    EXPECT_EQ(count_clipped(w, p, scheme), 0u);
  }
}

TEST(Bias, HasTheScaleOfItsProducts) {
  const QParams weights{DType::s8, 0, {0.5f, 0.25f}, {0, 0}};
  const QuantizedBias bias = quantize_bias(Tensor::of<float>({2}, {1, -1}), 0.5f, weights);
  EXPECT_EQ(bias.params.scale, (std::vector<float>{0.25f, 0.125f}));
  EXPECT_EQ(bias.codes.to_vector<int>(), (std::vector<int>{4, -8}));
  EXPECT_EQ(bias.params.axis, 0);
}

TEST(Bias, ScalesOfGroupsAreTiled) {
  const QParams weights{DType::s8, 1, {0.5f, 0.25f}, {0, 0}};  // M/group = 2, two groups
  const QuantizedBias bias = quantize_bias(Tensor::of<float>({4}, {1, 1, 1, 1}), 1, weights);
  EXPECT_EQ(bias.codes.to_vector<int>(), (std::vector<int>{2, 4, 2, 4}));
  EXPECT_EQ(bias.params.scale.size(), 4u);
}

// A channel that is all but dead has a scale so small that its bias would not fit int32: peers
// write a saturated bias there. Only such channels are touched.
TEST(Bias, GuardRaisesOnlyTheScalesThatNeedIt) {
  QParams weights{DType::s8, 0, {1e-12f, 0.01f}, {0, 0}};
  const Tensor bias = Tensor::of<float>({2}, {3, 3});
  EXPECT_EQ(guard_bias_overflow(bias, 0.1f, weights), 1);
  EXPECT_EQ(weights.scale[1], 0.01f);
  const QuantizedBias codes = quantize_bias(bias, 0.1f, weights);
  const auto q = codes.codes.to_vector<std::int64_t>();
  EXPECT_LE(std::abs(q[0]), 1 << 29);
  EXPECT_GT(std::abs(q[0]), (1 << 29) - 1000);
  EXPECT_NEAR(dequantize(codes.codes, codes.params).data<float>()[0], 3, 1e-6);
}

TEST(Bias, GuardHoldsForTheWorkedExampleOfThePeer) {
  QParams weights{DType::s8, {}, {1e-5f}, {0}};
  EXPECT_EQ(guard_bias_overflow(Tensor::of<float>({1}, {100}), 1e-4f, weights), 1);
  EXPECT_NEAR(weights.scale[0], 100 / (1e-4 * (1 << 29)), 1e-8);
}

TEST(DeadChannels, LeaveTheirBiasesFineSteps) {
  const Tensor weights = Tensor::of<float>({2, 2}, {0, 0, 1, -2}),
               bias = Tensor::of<float>({2}, {0.3f, 0.3f});
  QParams params{DType::s8, 0, {1, 2.0f / 127}, {0, 0}};
  refine_dead_channels(weights, bias, 0.05f, params);
  EXPECT_FLOAT_EQ(params.scale[0], 0.3f / (0.05f * 16777216.0f));
  EXPECT_FLOAT_EQ(params.scale[1], 2.0f / 127) << "is not dead";
  const QuantizedBias codes = quantize_bias(bias, 0.05f, params);
  EXPECT_NEAR(dequantize(codes.codes, codes.params).data<float>()[0], 0.3f, 1e-7);
  QParams whole{DType::s8, std::nullopt, {1}, {0}};
  refine_dead_channels(Tensor::of<float>({2, 2}, {0, 0, 0, 0}), bias, 0.05f, whole);
  EXPECT_LT(whole.scale[0], 1e-5f);
}

}  // namespace
}  // namespace intaglio
