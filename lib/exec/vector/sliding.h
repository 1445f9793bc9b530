// Rows of depthwise convolutions with square filters of 3, 5 or 7 taps and strides of 1 or 2, the
// usual ones: every pixel of the image is loaded once for all the sums of a row that it is part of,
// while the filter's row stays in registers. Needs AVX-512: other processors have too few of them.
#pragma once

#include <cstdint>

#include "lib/exec/vector/ending.h"
#include "lib/exec/window.h"

namespace intaglio {

// Neighbouring pixels of a row of results.
struct SlidingBlock {
  const float* in = nullptr;  // what the first tap reads, or would read if it lay on the image
  const float *filters = nullptr, *bias = nullptr;  // [vector of channels][taps][16]; [channels]
  float* out = nullptr;
  Ending ending = {};
  std::int64_t channels = 0;         // at least 16; from one pixel to the next
  std::int64_t line = 0;             // floats from one row of the image to the next
  std::int64_t rows = 0;             // of the filter, as far as they lie on the image
  std::int64_t skipped = 0;          // taps above the image
  std::int64_t first = 0, last = 0;  // columns of the block that lie on the image
};

inline constexpr std::int64_t sliding_pixels = 14;  // a block has at most

// Makes `pixels` results of the channels [first, last), a whole number of vectors unless last is
// the last channel. Taps are added in the order of the filter.
using SlidingSum = void (*)(std::int64_t pixels, const SlidingBlock& block, std::int64_t first,
                            std::int64_t last);

// Null when there is none for the window or the processor.
SlidingSum sliding_sum(const Window& window);

}  // namespace intaglio
