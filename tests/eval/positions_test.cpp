#include "lib/eval/positions.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

TEST(Positions, TheOnlyLongAxisBehindTheFirstHoldsClasses) {
  EXPECT_EQ(class_axis({1, 1000}), 1u);
  EXPECT_EQ(class_axis({1, 1000, 1, 1}), 1u);
  EXPECT_EQ(class_axis({1, 1, 1, 1000}), 3u);
  EXPECT_EQ(class_axis({20, 1, 37}), 2u);
  EXPECT_EQ(class_axis({37}), 0u);
  EXPECT_EQ(class_axis({}), 0u);
  EXPECT_TRUE(holds_scores({20, 1, 37}));
  EXPECT_TRUE(holds_scores({1, 1000, 1, 1}));
}

TEST(Positions, ElsewhereImagesHaveThemFirstAndSequencesLast) {
  EXPECT_EQ(class_axis({2, 20, 37}), 2u);
  EXPECT_EQ(class_axis({2, 21, 8, 8}), 1u);
  EXPECT_FALSE(holds_scores({2, 20, 37}));
  EXPECT_FALSE(holds_scores({1, 1}));
}

TEST(Positions, EachHasItsBestClasses) {
  const auto best = best_by_position(Tensor::of<float>({2, 1, 3}, {1, 3, 2, 9, 8, 7}), 2);
  EXPECT_EQ(best, (std::vector<std::vector<std::size_t>>{{1, 2}, {0, 1}}));
  // Classes along axis 1: the pixels take turns.
  const auto pixels = best_by_position(Tensor::of<float>({1, 2, 1, 2}, {1, 4, 3, 2}), 1);
  EXPECT_EQ(pixels, (std::vector<std::vector<std::size_t>>{{1}, {0}}));
  EXPECT_TRUE(best_by_position(Tensor(DType::f32, {0, 3}), 1).empty());
}

}  // namespace
}  // namespace intaglio
