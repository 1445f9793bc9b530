// Resampling as training pipelines do it.
#pragma once

#include "calibration/data/image.h"

namespace intaglio {

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};

// A part of an image, from its top left corner.
struct Region {
  int left = 0, top = 0;
  Size size;
};

// The image scaled to `size`, of which only `window` is computed; the window lies inside `size`.
// Bilinear with antialiasing: a triangle filter, as wide as the scale when it shrinks, first along
// the rows, then along the columns, each pass rounded to 8 bits. Weights are fixed-point numbers of
// 22 bits. The result equals, bit by bit, that of PIL's resize(size, BILINEAR).crop(window) when
// PIL takes the rows first as well (new versions take the columns first where that is faster; the
// two orders differ by one grey level at most).
Image resize(const Image& image, Size size, const Region& window);

}  // namespace intaglio
