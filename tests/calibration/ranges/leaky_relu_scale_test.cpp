// One scale on both sides of a LeakyRelu.
#include "calibration/ranges/leaky_relu_scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace intaglio {
namespace {

constexpr Grid u8{{0, 255}, false}, s8{{-127, 127}, true};

// Of `count` values spread evenly between lo and hi, behind a LeakyRelu.
std::vector<float> leaky(float lo, float hi, float slope, std::size_t count = 20000) {
  std::mt19937 engine(7);
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const float x = lo + (hi - lo) * static_cast<float>(engine()) * 0x1p-32f;
    values.push_back(x < 0 ? slope * x : x);
  }
  return values;
}

Statistics statistics_of(const std::vector<float>& values) {
  Statistics s;
  s.histogram.emplace();
  s.add(values);
  return s;
}

TEST(KeptScale, ValuesAboveZeroKeepTheirCodes) {
  for (const Grid& grid : {u8, s8}) {
    const Range read{-2, 10};
    const auto kept =
        leaky_relu_scale(read, {-0.2f, 10}, 0.1, statistics_of(leaky(-2, 10, 0.1f)), grid, 0);
    ASSERT_TRUE(kept);
    const Affine before = choose_affine(read, grid), behind = choose_affine(*kept, grid);
    EXPECT_NEAR(behind.scale / before.scale, 1, 1e-6);
    const int lowest = grid.levels.lo - before.zero_point;  // in steps
    EXPECT_LE(grid.levels.lo - behind.zero_point, std::floor(0.1 * lowest)) << "nothing is clipped";
    EXPECT_GE(grid.levels.hi - behind.zero_point, grid.levels.hi - before.zero_point);
  }
}

// The rounding error of both ways, taken from the values themselves.
TEST(KeptScale, IsTakenWhereItLeavesLessError) {
  const float slope = 0.1f;
  for (const float lo : {-0.5f, -2.0f, -8.0f, -30.0f, -100.0f}) {
    const Range read{lo, 10}, made{slope * lo, 10};
    const auto values = leaky(lo, 10, slope);
    const auto error = [&](const Range& range) {
      const Affine before = choose_affine(read, u8), behind = choose_affine(range, u8);
      double sum = 0;
      for (const float y : values) {
        const double x = y < 0 ? y / slope : y;
        const double rounded = std::nearbyint(x / before.scale) * before.scale;
        const double result = rounded < 0 ? slope * rounded : rounded;
        sum += std::pow(std::nearbyint(result / behind.scale) * behind.scale - y, 2);
      }
      return sum;
    };
    const auto kept = leaky_relu_scale(read, made, slope, statistics_of(values), u8, 0);
    const Affine before = choose_affine(read, u8);
    const Range same{made.lo, made.lo + static_cast<float>(255 * before.scale)};
    EXPECT_EQ(kept.has_value(), error(same) < error(made)) << lo;
  }
}

}  // namespace
}  // namespace intaglio
