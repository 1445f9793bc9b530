// The order of axes in a file.
#include "lib/tflite/axes.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using tflite::Perm;

const Perm nhwc = {0, 2, 3, 1};

TEST(Axes, ChannelsLastOfEveryRank) {
  EXPECT_EQ(tflite::channels_last(2), (Perm{0, 1}));
  EXPECT_EQ(tflite::channels_last(3), (Perm{0, 2, 1}));
  EXPECT_EQ(tflite::channels_last(4), nhwc);
}

TEST(Axes, AnElementLiesWhereItsAxesSay) {
  const Tensor x = random_tensor({2, 3, 4, 5});
  const Tensor y = tflite::permuted(x, nhwc);
  EXPECT_EQ(y.shape(), (Shape{2, 4, 5, 3}));
  const auto from = x.data<float>(), to = y.data<float>();
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t h = 0; h < 4; ++h)
        for (std::size_t w = 0; w < 5; ++w)
          ASSERT_EQ(to[((n * 4 + h) * 5 + w) * 3 + c], from[((n * 3 + c) * 4 + h) * 5 + w]);
}

TEST(Axes, BetweenTwoOrders) {
  EXPECT_EQ(tflite::between({0, 1, 2, 3}, nhwc), nhwc);
  EXPECT_EQ(tflite::between(nhwc, {0, 1, 2, 3}), (Perm{0, 3, 1, 2}));
}

TEST(Axes, LengthsOfOneMoveNothing) {
  EXPECT_TRUE(tflite::same_places({1, 8, 1, 1}, nhwc, {0, 1, 2, 3}));
  EXPECT_TRUE(tflite::same_places({1, 1, 5, 5}, nhwc, {0, 1, 2, 3}));
  EXPECT_FALSE(tflite::same_places({1, 8, 5, 1}, nhwc, {0, 1, 2, 3}));
}

TEST(Axes, AReshapeThatSplitsOrJoinsNeighboursStaysAsItIsStored) {
  // Channels into groups, as in ShuffleNet, and back.
  EXPECT_EQ(tflite::reshaped({1, 8, 5, 7}, nhwc, {1, 2, 4, 5, 7}), (Perm{0, 3, 4, 1, 2}));
  EXPECT_EQ(tflite::reshaped({1, 2, 4, 5, 7}, {0, 3, 4, 1, 2}, {1, 8, 5, 7}), nhwc);
  // A map into rows of pixels: channels stay last.
  EXPECT_EQ(tflite::reshaped({1, 8, 5, 7}, nhwc, {1, 8, 35}), (Perm{0, 2, 1}));
  EXPECT_EQ(tflite::reshaped({1, 8, 1, 1}, nhwc, {1, 8}), (Perm{0, 1}));
  EXPECT_EQ(tflite::reshaped({1, 8}, {0, 1}, {1, 8, 1, 1}), nhwc);
}

TEST(Axes, AReshapeThatMixesAxesDoesNot) {
  EXPECT_FALSE(tflite::reshaped({1, 8, 5, 7}, nhwc, {1, 280}));
  EXPECT_FALSE(tflite::reshaped({1, 8, 5, 7}, nhwc, {1, 40, 7}));
  EXPECT_TRUE(tflite::reshaped({1, 8, 5, 7}, {0, 1, 2, 3}, {1, 280}));
}

TEST(Axes, TheNearestOrderThatCanBeReshaped) {
  // The shuffle of ShuffleNet: one transposition, and channels stay last.
  EXPECT_EQ(tflite::reshapable({1, 4, 2, 5, 7}, {0, 3, 4, 2, 1}, {1, 8, 5, 7}),
            (Perm{0, 3, 4, 1, 2}));
  EXPECT_EQ(tflite::reshapable({1, 8, 5, 7}, nhwc, {1, 280}), (Perm{0, 1, 2, 3}));
  const Shape from = {2, 8, 5, 7}, to = {2, 40, 7};
  EXPECT_TRUE(tflite::reshaped(from, tflite::reshapable(from, nhwc, to), to));
}

// What a reshape in place gives is what a reshape in ONNX's order gives.
TEST(Axes, ReshapesInPlaceAgreeWithThoseOfOnnx) {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{2, 8, 5, 7}, {2, 2, 4, 5, 7}}, {{2, 6, 4, 4}, {2, 6, 16}}, {{1, 6, 4, 4}, {6, 1, 16}},
      {{2, 6, 4, 1}, {2, 6, 2, 2}},    {{1, 12, 1, 1}, {3, 4}},    {{4, 1, 3, 2}, {4, 6}}};
  for (const auto& [from, to] : cases) {
    const Tensor x = random_tensor(from);
    const auto perm = tflite::reshaped(from, nhwc, to);
    ASSERT_TRUE(perm) << to_string(to);
    const Tensor in_place = tflite::permuted(x, nhwc).reshaped(tflite::permuted(to, *perm));
    EXPECT_TRUE(close(in_place, tflite::permuted(x.reshaped(to), *perm), 0, 0)) << to_string(to);
  }
}

}  // namespace
}  // namespace intaglio::testing
