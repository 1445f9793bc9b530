// Ranges of weights from the exact values.
#include "calibration/ranges/weight_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lib/quant/array.h"

namespace intaglio {
namespace {

const Scheme s8{DType::s8, true, false, 0};

Tensor random_weights(std::mt19937& engine, std::int64_t channels, std::int64_t size) {
  std::normal_distribution<float> normal;
  Tensor w(DType::f32, {channels, size});
  for (float& v : w.mutate<float>()) v = std::pow(normal(engine), 3.0f);
  return w;
}

double error_of(const std::vector<float>& values, const Range& range, const Grid& grid) {
  const Affine a = choose_affine(range, grid);
  double error = 0;
  for (const float v : values) {
    const double code = std::clamp(std::nearbyint(v / a.scale) + a.zero_point,
                                   double(grid.levels.lo), double(grid.levels.hi));
    error += std::pow(v - (code - a.zero_point) * a.scale, 2);
  }
  return error;
}

// Normal, with one value in each channel that lies so far out that clipping it a little pays.
Tensor weights_with_outliers(std::mt19937& engine, std::int64_t channels) {
  std::normal_distribution<float> normal;
  Tensor w(DType::f32, {channels, 30000});
  const auto values = w.mutate<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = i % 30000 == 7 ? 6.0f : normal(engine);
  return w;
}

TEST(WeightRange, LeastSquaresIsThatOfTryingAll) {
  std::mt19937 engine(4);
  for (const Scheme& scheme : {s8, Scheme{DType::u8, false, false, 0}}) {
    const Grid grid = grid_of(scheme);
    for (int round = 0; round < 50; ++round) {
      const Tensor w = random_weights(engine, 1, 10 + round * 7);
      const std::vector<float> values(w.data<float>().begin(), w.data<float>().end());
      const Range whole = ranges_of(w, std::nullopt).front(),
                  best = least_squares_range(values, grid);
      double least = error_of(values, whole, grid);
      for (int i = 1; i < 64; ++i)
        least = std::min(
            least, error_of(values, {whole.lo * float(i) / 64, whole.hi * float(i) / 64}, grid));
      EXPECT_NEAR(error_of(values, best, grid), least, 1e-4 * least + 1e-12);
    }
  }
}

TEST(WeightRange, BestIsNeverWorseThanMinMax) {
  std::mt19937 engine(5);
  const Tensor w = weights_with_outliers(engine, 6);
  const auto best = weight_ranges(w, s8, parse_weight_method("best")),
             whole = weight_ranges(w, s8, parse_weight_method("minmax"));
  EXPECT_EQ(whole, ranges_of(w, 0));
  bool narrower = false;
  for (std::size_t c = 0; c < best.size(); ++c) {
    const auto values = channel_values(w, 0, c);
    EXPECT_LE(error_of(values, best[c], grid_of(s8)),
              error_of(values, whole[c], grid_of(s8)) * (1 + 1e-5));
    narrower |= best[c] != whole[c];
  }
  EXPECT_TRUE(narrower);
}

TEST(WeightRange, EveryMethodTakesWeights) {
  std::mt19937 engine(6);
  const Tensor w = weights_with_outliers(engine, 2);
  for (const char* method : {"percentile:p=99", "mse", "entropy"}) {
    const auto ranges = weight_ranges(w, s8, parse_weight_method(method));
    const auto whole = ranges_of(w, 0);
    for (std::size_t c = 0; c < ranges.size(); ++c) EXPECT_LT(ranges[c].hi, whole[c].hi) << method;
  }
  EXPECT_THROW(parse_weight_method("bset"), Error);
}

TEST(ChannelValues, PicksOneIndexOfTheAxis) {
  const Tensor t = Tensor::of<float>({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(channel_values(t, 1, 1), (std::vector<float>{2, 3, 8, 9}));
  EXPECT_EQ(channel_values(t, 0, 1), (std::vector<float>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(channel_values(t, std::nullopt, 0).size(), 12u);
}

}  // namespace
}  // namespace intaglio
