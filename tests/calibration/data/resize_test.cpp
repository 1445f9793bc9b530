#include "calibration/data/resize.h"

#include <gtest/gtest.h>

#include "tests/calibration/data/make_images.h"

namespace intaglio {
namespace {

using testing::pattern;
using Pixels = std::vector<std::uint8_t>;

Pixels resized(const Image& image, int width, int height) {
  return resize(image, {width, height}, {0, 0, {width, height}}).pixels;
}

// Expected values: PIL, resize((width, old height), BILINEAR).resize((width, height), BILINEAR).
TEST(Resize, MatchesPilWhenShrinking) {
  EXPECT_EQ(resized(pattern(9, 7, 1), 4, 3),
            (Pixels{28, 86, 136, 141, 118, 119, 97, 108, 142, 119, 134, 101}));
  EXPECT_EQ(resized(pattern(40, 30, 3), 3, 2),
            (Pixels{129, 127, 127, 131, 120, 124, 128, 117, 125, 134, 121, 127, 131, 124, 125, 116,
                    126, 136}));
  EXPECT_EQ(resized(pattern(5, 60, 1), 2, 3), (Pixels{117, 137, 123, 133, 132, 129}));
}

TEST(Resize, MatchesPilWhenEnlarging) {
  EXPECT_EQ(resized(pattern(3, 2, 1), 5, 4),
            (Pixels{0, 3, 7, 20, 28, 3, 7, 11, 24, 33, 10, 14, 19, 33, 42, 13, 17, 23, 37, 47}));
}

TEST(Resize, TheSameSizeChangesNothing) {
  for (const int channels : {1, 3}) {
    const Image image = pattern(13, 9, channels);
    EXPECT_EQ(resized(image, 13, 9), image.pixels);
  }
}

TEST(Resize, AFlatImageStaysFlat) {
  const Image flat{31, 17, 3, Pixels(31 * 17 * 3, 255)};
  for (const int side : {1, 2, 7, 17, 100})
    EXPECT_EQ(resized(flat, side, 2 * side),
              Pixels(static_cast<std::size_t>(side * side) * 6, 255));
}

TEST(Resize, AWindowIsAPartOfTheWhole) {
  const Image image = pattern(50, 40);
  const Image whole = resize(image, {33, 60}, {0, 0, {33, 60}});
  const Image part = resize(image, {33, 60}, {5, 17, {20, 30}});
  ASSERT_EQ(part.width, 20);
  ASSERT_EQ(part.height, 30);
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 60; ++x)
      ASSERT_EQ(part.pixels[y * 60 + x], whole.pixels[(y + 17) * 99 + 15 + x]);
}

}  // namespace
}  // namespace intaglio
