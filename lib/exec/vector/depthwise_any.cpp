// Depthwise convolution with any window: what sliding.h does not take.
#include <algorithm>

#include "lib/exec/vector/depthwise.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

constexpr std::int64_t most = 14;  // pixels of a block: divides the widths of usual images

// A row of neighbouring pixels.
struct Block {
  const float* in = nullptr;           // the first tap of the first pixel
  const float* const* taps = nullptr;  // or, at a border, where each tap of `most` pixels is read
  const float *filters = nullptr, *bias = nullptr;
  float* out = nullptr;
  Ending ending = {};
  std::int64_t channels = 0;                  // from one pixel to the next
  std::int64_t rows = 0, columns = 0;         // of the filter, as far as they are used
  std::int64_t skipped = 0, taps_in_all = 0;  // taps above the image; of the whole filter
  std::int64_t in_row = 0, in_column = 0;     // distance between taps
  std::int64_t pixel = 0;                     // distance between the inputs of neighbouring outputs
};

template <int pixels>
[[gnu::always_inline]] inline void sum_inside(const Block& b, std::int64_t channel,
                                              const float* filter, Vector16* sum) {
  constexpr int bases = (pixels + 2) / 3;  // three pixels share one, so that all stay in registers
  for (std::int64_t y = 0; y < b.rows; ++y) {
    const float* in[bases];
#pragma GCC unroll 5
    for (int i = 0; i < bases; ++i) in[i] = b.in + y * b.in_row + channel + 3 * i * b.pixel;
    for (std::int64_t x = 0; x < b.columns; ++x, filter += vector_width) {
      const Vector16 weight = vec::load(filter);
#pragma GCC unroll 14
      for (int p = 0; p < pixels; ++p) sum[p] += weight * vec::load(in[p / 3] + p % 3 * b.pixel);
#pragma GCC unroll 5
      for (int i = 0; i < bases; ++i) in[i] += b.in_column;
    }
  }
}

template <int pixels>
[[gnu::always_inline]] inline void sum_border(const Block& b, std::int64_t channel,
                                              const float* filter, Vector16* sum) {
  const float* const* taps = b.taps;
  for (std::int64_t t = b.rows * b.columns; t-- > 0; taps += most, filter += vector_width) {
    const Vector16 weight = vec::load(filter);
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) sum[p] += weight * vec::load(taps[p] + channel);
  }
}

// Vectors of channels [first, last). The last of all overlaps the one before: it makes the same
// values again. The block is a copy, so that no store can change it.
template <int pixels>
[[gnu::always_inline]] inline void sum_channels(const Block b, std::int64_t first,
                                                std::int64_t last) {
  const VectorEnding<64> ended(b.ending);
  for (std::int64_t v = first; v < last; v += vector_width) {
    const std::int64_t channel = std::min(v, b.channels - vector_width);
    const float* filter = b.filters + v * b.taps_in_all + b.skipped * vector_width;
    Vector16 sum[pixels];
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) sum[p] = vec::load(b.bias + v);
    if (b.taps != nullptr) {
      sum_border<pixels>(b, channel, filter, sum);
    } else {
      sum_inside<pixels>(b, channel, filter, sum);
    }
    float* out = b.out + channel;
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) vec::store(out + p * b.channels, ended(sum[p]));
  }
}

template <int pixels = most>
[[gnu::always_inline]] inline void sum_any(std::int64_t wanted, const Block& b, std::int64_t first,
                                           std::int64_t last) {
  if (wanted == pixels) return sum_channels<pixels>(b, first, last);
  if constexpr (pixels > 1) sum_any<pixels - 1>(wanted, b, first, last);
}

INTAGLIO_CLONES void sum_block(std::int64_t pixels, const Block& b, std::int64_t first,
                               std::int64_t last) {
  sum_any(pixels, b, first, last);
}

// The outputs [first, first + count) of every row. Where a window sticks out to the left or right,
// taps says for each tap of each pixel how far from the start of a row of windows it is read.
struct Columns {
  static constexpr std::int64_t zero = -1;  // outside
  std::int64_t first, count;
  std::vector<std::int64_t> taps;  // `most` for each tap; empty when all are inside

  Columns(const Window& w, std::int64_t channels, std::int64_t x, std::int64_t n)
      : first(x), count(n) {
    const std::int64_t left = x * w.strides[1] - w.begin[1];
    if (left >= 0 && left + (n - 1) * w.strides[1] + w.extent(1) <= w.input[1]) return;
    for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
      for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx)
        for (std::int64_t p = 0; p < most; ++p) {
          const std::int64_t column = left + p * w.strides[1] + kx * w.dilations[1];
          const bool inside = p < n && column >= 0 && column < w.input[1];
          taps.push_back(inside ? (ky * w.dilations[0] * w.input[1] + column) * channels : zero);
        }
  }
};

// Blocks of nearly equal length: none is short.
std::vector<Columns> columns_of(const Window& w, std::int64_t channels) {
  std::vector<Columns> list;
  const std::int64_t width = w.output[1], blocks = (width + most - 1) / most;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t first = width * i / blocks;
    list.emplace_back(w, channels, first, width * (i + 1) / blocks - first);
  }
  return list;
}

INTAGLIO_CLONES void resolve(const std::int64_t* offsets, std::int64_t count, const float* row,
                             const float* zeros, const float** taps) {
  for (std::int64_t i = 0; i < count; ++i)
    taps[i] = offsets[i] == Columns::zero ? zeros : row + offsets[i];
}

}  // namespace

void Depthwise::run_any(const float* image, const Window& w, std::vector<const float*> addends,
                        float* out) const {
  const std::vector<float> zeros(static_cast<std::size_t>(channels_), 0.0f);
  const std::vector<Columns> columns = columns_of(w, channels_);
  const std::int64_t line = w.output[1] * channels_, in_line = w.input[1] * channels_;
  std::vector<const float*> taps(columns.size() * static_cast<std::size_t>(most * taps_));
  std::vector<Block> blocks(columns.size());
  for (std::int64_t y = 0; y < w.output[0]; ++y, out += line) {
    const std::int64_t top = y * w.strides[0] - w.begin[0];
    const Rows rows(w, top);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Columns& c = columns[i];
      Block& b = blocks[i] = {.filters = filters_.data(),
                              .bias = bias_.data(),
                              .out = out + c.first * channels_,
                              .ending = ending_,
                              .channels = channels_,
                              .rows = rows.last - rows.first,
                              .columns = w.kernel[1],
                              .skipped = rows.first * w.kernel[1],
                              .taps_in_all = taps_,
                              .in_row = w.dilations[0] * in_line,
                              .in_column = w.dilations[1] * channels_,
                              .pixel = w.strides[1] * channels_};
      if (c.taps.empty()) {
        b.in = image + (top + rows.first * w.dilations[0]) * in_line +
               (c.first * w.strides[1] - w.begin[1]) * channels_;
      } else {
        const float** mine = taps.data() + i * static_cast<std::size_t>(most * taps_);
        resolve(c.taps.data() + most * b.skipped, most * b.rows * b.columns, image + top * in_line,
                zeros.data(), mine);
        b.taps = mine;
      }
    }
    const std::int64_t step = channels_at_once();
    for (std::int64_t first = 0; first < channels_; first += step)
      for (std::size_t i = 0; i < blocks.size(); ++i)
        sum_block(columns[i].count, blocks[i], first, std::min(first + step, channels_));
    finish(out, line, addends);
  }
}

}  // namespace intaglio
