// Inputs of few levels, and ranges under which they are not all rounded by half a step.
#include "calibration/statistics/distinct_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/quant/array.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

const Scheme u8{DType::u8, false, false, {}};

DistinctValues pixels() {
  std::vector<float> values(256);
  for (int p = 0; p < 256; ++p)
    values[static_cast<std::size_t>(p)] = (static_cast<float>(p) - 127.5f) / 127.5f;
  DistinctValues distinct;
  distinct.add(values);
  return distinct;
}

double noise(const Range& range, const DistinctValues& distinct) {
  std::vector<float> values;
  for (const auto& [value, count] : distinct.counts()) values.push_back(value);
  const Tensor x = Tensor::vector(values);
  const QParams p = choose_qparams(std::span(&range, 1), u8);
  return sqnr_db(x, dequantize(quantize(x, p, u8), p));
}

TEST(Grid, PixelsMappedToMinusOneToOneGainFourDecibels) {
  const auto distinct = pixels();
  const Range better = without_ties({-1, 1}, distinct, u8);
  EXPECT_LE(better.lo, -1);
  EXPECT_GE(better.hi, 1);
  EXPECT_GT(noise(better, distinct), noise({-1, 1}, distinct) + 4);
}

TEST(Grid, LevelsThatTheCodesHitExactlyKeepTheirRange) {
  DistinctValues distinct;
  for (int p = 0; p < 256; ++p) distinct.add(std::vector<float>{static_cast<float>(p)});
  EXPECT_EQ(without_ties({0, 255}, distinct, u8), (Range{0, 255}));
}

TEST(Grid, ManyValuesAreNoGridWhateverTheOrder) {
  const Tensor many = testing::random_tensor({5000});
  DistinctValues first, second = pixels();
  first.add(many.data<float>());
  EXPECT_TRUE(first.counts().empty());
  first.merge(pixels());
  second.merge(first);
  EXPECT_TRUE(first.counts().empty());
  EXPECT_TRUE(second.counts().empty());
  EXPECT_EQ(without_ties({-1, 1}, first, u8), (Range{-1, 1}));
}

TEST(Grid, MergingCounts) {
  DistinctValues a, b;
  a.add(std::vector<float>{1, 1, 2});
  b.add(std::vector<float>{2, 3});
  a.merge(b);
  EXPECT_EQ(a.counts(), (std::map<float, std::uint64_t>{{1, 2}, {2, 2}, {3, 1}}));
}

TEST(Grid, CountsFiniteValuesAndOneZero) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-0.0f, 0.0f, std::nanf(""), infinity, -infinity, 1, -0.0f, 1};
  DistinctValues a, b;
  a.add(values);
  b.add(std::vector<float>(values.rbegin(), values.rend()));
  EXPECT_EQ(a.counts(), (std::map<float, std::uint64_t>{{0, 3}, {1, 2}}));
  for (const DistinctValues* d : {&a, &b}) EXPECT_FALSE(std::signbit(d->counts().begin()->first));
}

TEST(Grid, CountsAsManyAsItSays) {
  std::vector<float> values(2 * DistinctValues::limit);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i % DistinctValues::limit) / 3;
  DistinctValues distinct;
  distinct.add(values);
  EXPECT_EQ(distinct.counts().size(), DistinctValues::limit);
  EXPECT_TRUE(std::ranges::all_of(distinct.counts(), [](const auto& c) { return c.second == 2; }));
  distinct.add(std::vector<float>{-1});
  EXPECT_TRUE(distinct.too_many());
}

}  // namespace
}  // namespace intaglio
