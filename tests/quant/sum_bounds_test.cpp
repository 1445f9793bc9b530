// Sums of products stay in int32.
#include "lib/quant/sum_bounds.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/quant/array.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const Scheme by_column{DType::s8, true, false, 1}, by_row{DType::s8, true, false, 0};

// The largest and smallest sums of a column, from the codes themselves.
std::pair<std::int64_t, std::int64_t> extremes(const std::vector<std::int64_t>& codes,
                                               const DataReach& data) {
  std::int64_t hi = 0, lo = 0;
  for (const std::int64_t w : codes) {
    hi += w > 0 ? w * data.above : -w * data.below;
    lo -= w > 0 ? w * data.below : -w * data.above;
  }
  return {lo, hi};
}

Model product(const std::string& op) {
  return random_model("(float[1,2] x, float[2,2] w) => (float[1,2] y) { y = " + op + "(x, w) }");
}

// Weights of 100 000 rows: in the first column all 1, in the second small.
Tensor tall() {
  Tensor w(DType::f32, {100000, 2});
  const auto values = w.mutate<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 1.0f : i == 1 ? 1.0f : 0;
  return w;
}

TEST(SumBounds, RaiseTheScaleOfAChannelThatWouldOverflow) {
  const Model matmul = product("MatMul");
  const Tensor w = tall();
  QParams params{DType::s8, 1, {1.0f / 127, 1.0f / 127}, {0, 0}};
  const QParams data{DType::u8, std::nullopt, {0.1f}, {0}};
  const RaisedSums raised =
      avoid_overflow(*matmul.graph().nodes().front(), w, by_column, reach_of(data), {}, params);
  EXPECT_EQ(raised.scales, 1);
  EXPECT_EQ(raised.products, 100000);
  EXPECT_GT(params.scale[0], 1.0f / 127);
  EXPECT_EQ(params.scale[1], 1.0f / 127) << "its sum is small";
  const auto codes = quantize(w, params, by_column).to_vector<std::int64_t>();
  std::vector<std::int64_t> column;
  for (std::size_t i = 0; i < codes.size(); i += 2) column.push_back(codes[i]);
  EXPECT_LE(extremes(column, reach_of(data)).second, std::int64_t{1} << 31);
  EXPECT_GT(extremes(column, reach_of(data)).second, (std::int64_t{1} << 31) * 9 / 10)
      << "just so far";
}

TEST(SumBounds, TheZeroPointAndTheBiasCount) {
  const Model gemm = product("Gemm <transB = 1>");
  Tensor w(DType::f32, {1, 70000});
  std::ranges::fill(w.mutate<float>(), 1.0f);
  const QParams own{DType::s8, 0, {1.0f / 127}, {0}};
  const Node& node = *gemm.graph().nodes().front();
  QParams params = own;
  const QParams one_sided{DType::u8, std::nullopt, {0.1f}, {0}},
      two_sided{DType::u8, std::nullopt, {0.1f}, {128}};
  EXPECT_EQ(avoid_overflow(node, w, by_row, reach_of(one_sided), {}, params).scales, 1);
  params = own;
  EXPECT_EQ(avoid_overflow(node, w, by_row, reach_of(two_sided), {}, params).scales, 0)
      << "reaches 128 * 127 * 70000 only";
  const Tensor bias = Tensor::of<float>({1}, {0.1f / 127 * 1.1e9f});
  EXPECT_EQ(avoid_overflow(node, w, by_row, reach_of(two_sided), {&bias, 0.1f}, params).scales, 1);
}

TEST(SumBounds, ConvolutionsSumOverTheirWholeFilter) {
  const Model conv =
      random_model("(float[1,1,4,4] x, float[1,1,2,2] w) => (float[1,1,3,3] y) { y = Conv(x, w) }");
  Tensor w(DType::f32, {2, 300, 20, 20});
  const auto values = w.mutate<float>();
  std::fill(values.begin(), values.begin() + 120000, -1.0f);
  std::fill(values.begin() + 120000, values.end(), 0.0f);
  values[120000] = 1;
  QParams params{DType::s8, 0, {1.0f / 127, 1.0f / 127}, {0, 0}};
  const RaisedSums raised =
      avoid_overflow(*conv.graph().nodes().front(), w, by_row, DataReach{}, {}, params);
  EXPECT_EQ(raised.scales, 1);
  EXPECT_EQ(raised.products, 120000);
  EXPECT_GT(raised.factor, 1.5);
  EXPECT_EQ(params.scale[1], 1.0f / 127);
}

TEST(SumBounds, ShortSumsAreNotLookedAt) {
  const Model matmul = product("MatMul");
  QParams params{DType::s8, 1, {0.1f, 0.1f}, {0, 0}};
  const RaisedSums raised =
      avoid_overflow(*matmul.graph().nodes().front(), Tensor::of<float>({2, 2}, {1, 2, 3, 4}),
                     by_column, DataReach{}, {}, params);
  EXPECT_EQ(raised.scales, 0);
  EXPECT_EQ(raised.products, 0);
}

}  // namespace
}  // namespace intaglio::testing
