// Differences of two models on the same samples, against values worked out by hand.
#include "lib/eval/paired.h"

#include <gtest/gtest.h>

#include <vector>

namespace intaglio {
namespace {

PairedDifference of(const std::vector<double>& a, const std::vector<double>& b) {
  return paired(a, b);
}

TEST(Paired, MeanAndErrorAreThoseOfTheDifferences) {
  const PairedDifference d = of({3, 5, 7, 9}, {2, 3, 4, 5});  // 1, 2, 3, 4
  EXPECT_EQ(d.samples, 4u);
  EXPECT_DOUBLE_EQ(d.mean, 2.5);
  EXPECT_NEAR(d.error, 0.645497, 1e-6);  // sqrt(5/3) / 2
  EXPECT_TRUE(d.better());               // 3.873 of 3.182
}

TEST(Paired, ASteadySmallDifferenceIsMoreThanChance) {
  std::vector<double> a, b;
  for (int i = 0; i < 20; ++i) a.push_back(30 + i + 0.1), b.push_back(30 + i);
  EXPECT_TRUE(of(a, b).better());
  EXPECT_FALSE(of(b, a).better());
}

// Two samples of two hundred changed sides: 2 against 0 says little, 9 against 0 much.
TEST(Paired, FewChangedClassesAreChance) {
  std::vector<double> a(200, 1), b(200, 1);
  b[3] = b[90] = 0;
  EXPECT_FALSE(of(a, b).better());
  for (std::size_t i = 100; i < 107; ++i) b[i] = 0;
  EXPECT_TRUE(of(a, b).better());
}

TEST(Paired, OneSampleTellsNothingAndEqualOnesNeither) {
  EXPECT_FALSE(of({5}, {1}).better());
  EXPECT_FALSE(of({5, 5, 5}, {5, 5, 5}).better());
  EXPECT_FALSE(of({}, {}).better());
}

}  // namespace
}  // namespace intaglio
