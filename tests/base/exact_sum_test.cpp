// Sums of floats without rounding.
#include "lib/base/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <random>
#include <vector>

namespace intaglio {
namespace {

TEST(ExactSum, LosesNothing) {
  ExactSum sum;
  for (const float x : {1e38f, 1.0f, FLT_TRUE_MIN, -1e38f, -1.0f}) sum.add(x);
  EXPECT_EQ(sum.value(), static_cast<double>(FLT_TRUE_MIN));
  sum.add(-FLT_TRUE_MIN);
  EXPECT_EQ(sum, ExactSum());
  for (int i = 0; i < 1000; ++i) sum.add(-0.1f);
  EXPECT_DOUBLE_EQ(sum.value(), -1000 * static_cast<double>(0.1f));
  for (int i = 0; i < 100000; ++i) sum.add(FLT_MAX);  // far beyond what a float holds
  EXPECT_DOUBLE_EQ(sum.value(), 100000 * static_cast<double>(FLT_MAX));
}

TEST(ExactSum, DoesNotDependOnOrderOrGrouping) {
  std::mt19937 engine(1);
  std::vector<float> values;
  for (int i = 0; i < 3000; ++i)
    values.push_back(
        std::ldexp(static_cast<float>(engine()) - 2e9f, static_cast<int>(engine() % 200) - 150));
  ExactSum whole;
  for (const float x : values) whole.add(x);
  std::shuffle(values.begin(), values.end(), engine);
  ExactSum halves[2];
  for (std::size_t i = 0; i < values.size(); ++i) halves[i % 2].add(values[i]);
  halves[0].merge(halves[1]);
  EXPECT_EQ(halves[0], whole);
  EXPECT_EQ(ExactSum::restored(whole.words()), whole);
}

}  // namespace
}  // namespace intaglio
