// The part of channels-last images that the windows of a convolution cover.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lib/exec/window.h"

namespace intaglio {

struct CoveredPart {
  std::int64_t height, width;

  explicit CoveredPart(const Window& w)
      : height((w.output[0] - 1) * w.strides[0] + w.extent(0)),
        width((w.output[1] - 1) * w.strides[1] + w.extent(1)) {}

  // Whether windows can be read where an image lies: they cover its rows from the first one on, and
  // no more.
  bool lies_in_place(const Window& w) const {
    return w.begin == Shape{0, 0} && height <= w.input[0] && width == w.input[1];
  }
};

// Copies the covered part of `batch` images, with `outside` where there is nothing. Returns the
// end.
template <typename T>
T* copy_covered(const T* images, std::int64_t batch, std::int64_t channels, const Window& w,
                T outside, T* to) {
  const CoveredPart part(w);
  const std::int64_t left = std::clamp<std::int64_t>(w.begin[1], 0, part.width);
  const std::int64_t skipped = std::max<std::int64_t>(-w.begin[1], 0);
  const std::int64_t copied = std::clamp<std::int64_t>(w.input[1] - skipped, 0, part.width - left);
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t y = 0; y < part.height; ++y) {
      const std::int64_t from = y - w.begin[0];
      const std::int64_t taken = from >= 0 && from < w.input[0] ? copied : 0;
      to = std::fill_n(to, left * channels, outside);
      if (taken > 0)
        to = std::copy_n(images + ((n * w.input[0] + from) * w.input[1] + skipped) * channels,
                         taken * channels, to);
      to = std::fill_n(to, (part.width - left - taken) * channels, outside);
    }
  return to;
}

}  // namespace intaglio
