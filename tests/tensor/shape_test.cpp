#include "lib/tensor/shape.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

TEST(Shape, CountsStridesAndProducts) {
  EXPECT_EQ(element_count(Shape{2, 3, 4}), 24);
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_EQ(element_count(Shape{3, 0}), 0);
  EXPECT_EQ(element_count(Shape{std::int64_t{1} << 62}), std::int64_t{1} << 62);
  EXPECT_EQ(strides_of(Shape{2, 3, 4}), (Shape{12, 4, 1}));
  EXPECT_EQ(product(Shape{2, 3, 4}, 1, 3), 12);
  EXPECT_EQ(to_string(Shape{1, 3}), "[1,3]");
}

TEST(Shape, AxesCountFromBothEnds) {
  EXPECT_EQ(normalized_axis(-1, 4), 3);
  EXPECT_EQ(normalized_axis(0, 4), 0);
  EXPECT_THROW(normalized_axis(4, 4), Error);
  EXPECT_THROW(normalized_axis(-5, 4), Error);
  EXPECT_THROW(normalized_axis(0, 0), Error);
}

TEST(Broadcast, FollowsTheRules) {
  EXPECT_EQ(broadcast_shapes(Shape{2, 1, 4}, Shape{3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shapes(Shape{}, Shape{5}), (Shape{5}));
  EXPECT_EQ(broadcast_shapes(Shape{0}, Shape{1}), (Shape{0}));
  EXPECT_THROW(broadcast_shapes(Shape{2}, Shape{3}), Error);
  EXPECT_THROW(broadcast_shapes(Shape{0}, Shape{2}), Error);
}

TEST(Broadcast, StridesAreZeroWhereValuesRepeat) {
  EXPECT_EQ(broadcast_strides(Shape{3, 1}, Shape{2, 3, 4}), (Shape{0, 1, 0}));
  EXPECT_EQ(broadcast_strides(Shape{2, 3}, Shape{2, 3}), (Shape{3, 1}));
  EXPECT_EQ(broadcast_strides(Shape{}, Shape{2, 3}), (Shape{0, 0}));
}

}  // namespace
}  // namespace intaglio
