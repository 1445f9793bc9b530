// Pairs of products that could saturate, and scales raised until none does.
#include "lib/quant/saturation.h"

#include <gtest/gtest.h>

#include "lib/quant/array.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Tensor codes(const std::vector<int>& values, Shape shape) {
  return convert(Tensor::vector(std::vector<std::int32_t>(values.begin(), values.end())), DType::s8)
      .reshaped(shape);
}

TEST(Saturation, PairsAreNeighboursAlongTheSum) {
  const Model matmul =
      TextModel().typed("(float[1,4] x, float[4,2] w) => (float[1,2] y) { y = MatMul(x, w) }");
  const Node& node = *matmul.graph().nodes().front();
  // Column 0: 64 + 64 stays within 128. Column 1: 64 + 65 does not; its second pair has different
  // signs.
  const Saturation found =
      saturation_of(node, codes({64, 64, 64, 65, 127, 127, -127, -127}, {4, 2}));
  EXPECT_EQ(found.pairs, 4);
  EXPECT_EQ(found.over, 1);
  EXPECT_EQ(found.worst, (std::vector<int>{128, 129}));
  EXPECT_EQ(found.channels_over(), 1);
}

TEST(Saturation, GemmReadsTransposedWeightsByRow) {
  const Model gemm = TextModel().typed(
      "(float[1,4] x, float[2,4] w) => (float[1,2] y) { y = Gemm <transB = 1> (x, w) }");
  const Saturation found = saturation_of(*gemm.graph().nodes().front(),
                                         codes({100, 100, 0, 0, -100, 100, -100, -29}, {2, 4}));
  EXPECT_EQ(found.worst, (std::vector<int>{200, 129}));
}

TEST(Saturation, ConvolutionsSumChannelsOfATapFirst) {
  const Model conv = TextModel().typed(
      "(float[1,2,4,4] x, float[1,2,1,2] w) => (float[1,1,4,3] y) { y = Conv(x, w) }");
  // (channel 0: taps 100, 10; channel 1: taps 100, 10): tap 0 pairs 100 with 100.
  const Saturation found =
      saturation_of(*conv.graph().nodes().front(), codes({100, 10, 100, 10}, {1, 2, 1, 2}));
  EXPECT_EQ(found.worst, (std::vector<int>{200}));
  EXPECT_EQ(found.over, 1);
  const Model depthwise = TextModel().typed(
      "(float[1,2,4,4] x, float[2,1,1,2] w) => (float[1,2,4,3] y) { y = Conv <group = 2> (x, w) }");
  EXPECT_EQ(
      saturation_of(*depthwise.graph().nodes().front(), codes({127, 127, 127, 127}, {2, 1, 1, 2}))
          .pairs,
      0);
}

TEST(Saturation, OnlyTheChannelsInNeedAreChangedAndNoMoreThanNeeded) {
  const Model matmul =
      TextModel().typed("(float[1,4] x, float[4,2] w) => (float[1,2] y) { y = MatMul(x, w) }");
  const Tensor w =
      Tensor::vector<float>({1, 0.5f, 0.9f, 0.1f, 0.3f, -1, 0.2f, 0.1f}).reshaped({4, 2});
  Scheme scheme{DType::s8, true, false, 1};
  QParams params = choose_qparams(ranges_of(w, 1), scheme);
  const QParams before = params;
  EXPECT_EQ(avoid_saturation(*matmul.graph().nodes().front(), w, scheme, params), 1);
  EXPECT_EQ(params.scale[1], before.scale[1]) << "0.5 and 0.1 fit as they are";
  const Saturation after =
      saturation_of(*matmul.graph().nodes().front(), quantize(w, params, scheme));
  EXPECT_EQ(after.over, 0);
  EXPECT_GE(after.worst[0], 126) << "seven bits for all would leave 122";
}

}  // namespace
}  // namespace intaglio
