#include "lib/exec/vector/sliding.h"

#include <algorithm>

#include "lib/exec/vector_math.h"

namespace intaglio {

#if defined(__x86_64__)

namespace {

// Adds the pixel in column `column` of the block to all sums that it is part of.
template <int pixels, int taps, int stride>
INTAGLIO_INLINE void add_column(int column, const float* x, const Vector16* weight, Vector16* sum) {
  const Vector16 value = vec::load(x);
#pragma GCC unroll 7
  for (int t = 0; t < taps; ++t) {
    const int p = (column - t) / stride;
    if (column >= t && p * stride == column - t && p < pixels) sum[p] += weight[t] * value;
  }
}

// The block is a copy, so that no store can change it. The last vector of channels overlaps the one
// before: it makes the same values again. Only the outermost columns can lie beside the image.
template <int pixels, int taps, int stride>
INTAGLIO_INLINE void slide(const SlidingBlock b, std::int64_t first, std::int64_t last) {
  constexpr int columns = (pixels - 1) * stride + taps;
  const VectorEnding<64> ended(b.ending);
  for (std::int64_t v = first; v < last; v += vector_width) {
    const std::int64_t channel = std::min(v, b.channels - vector_width);
    const float* filter = b.filters + v * (taps * taps) + b.skipped * vector_width;
    const float* row = b.in + channel;
    Vector16 sum[pixels];
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) sum[p] = vec::load(b.bias + v);
    for (std::int64_t y = 0; y < b.rows; ++y, row += b.line, filter += taps * vector_width) {
      Vector16 weight[taps];
#pragma GCC unroll 7
      for (int t = 0; t < taps; ++t) weight[t] = vec::load(filter + t * vector_width);
      const float* x = row;
#pragma GCC unroll 33
      for (int c = 0; c < columns; ++c, x += b.channels) {
        const bool outer = c < taps - 1 || c > columns - taps;
        if (!outer || (c >= b.first && c < b.last))
          add_column<pixels, taps, stride>(c, x, weight, sum);
      }
    }
    float* out = b.out + channel;
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) vec::store(out + p * b.channels, ended(sum[p]));
  }
}

template <int taps, int stride, int pixels = sliding_pixels>
INTAGLIO_INLINE void slide_any(std::int64_t wanted, const SlidingBlock& b, std::int64_t first,
                               std::int64_t last) {
  if (wanted == pixels) return slide<pixels, taps, stride>(b, first, last);
  if constexpr (pixels > 1) slide_any<taps, stride, pixels - 1>(wanted, b, first, last);
}

template <int taps, int stride>
__attribute__((target("avx512f"))) void slide_avx512(std::int64_t pixels, const SlidingBlock& b,
                                                     std::int64_t first, std::int64_t last) {
  slide_any<taps, stride>(pixels, b, first, last);
}

SlidingSum sum_of(std::int64_t taps, std::int64_t stride) {
  if (stride > 2) return nullptr;
  switch (taps) {
    case 3:
      return stride == 1 ? slide_avx512<3, 1> : slide_avx512<3, 2>;
    case 5:
      return stride == 1 ? slide_avx512<5, 1> : slide_avx512<5, 2>;
    case 7:
      return stride == 1 ? slide_avx512<7, 1> : slide_avx512<7, 2>;
    default:
      return nullptr;
  }
}

}  // namespace

SlidingSum sliding_sum(const Window& w) {
  static const bool fits = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") != 0;
  }();
  const std::int64_t taps = w.kernel[1];
  const bool usual = w.kernel[0] == taps && w.dilations[1] == 1 && w.begin[1] >= 0;
  // No more than taps - 1 columns lie beside the image on either side.
  const std::int64_t beyond = (w.output[1] - 1) * w.strides[1] - w.begin[1] + taps - w.input[1];
  if (!fits || !usual || w.begin[1] >= taps || beyond >= taps) return nullptr;
  return sum_of(taps, w.strides[1]);
}

#else

SlidingSum sliding_sum(const Window&) { return nullptr; }

#endif

}  // namespace intaglio
