#include "lib/exec/vector/depthwise.h"

#include <algorithm>

#include "lib/exec/registry.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

// A block of sums: what to add up, and from where.
struct Block {
  const float* in;       // the first tap of the first pixel, channel 0
  const float* taps;     // the first tap that lies inside, channel 0
  const float* bias;
  float* out;
  std::int64_t channels;
  std::int64_t rows, columns;         // of taps that lie inside
  std::int64_t in_row, in_column;     // distance between taps, in floats
  std::int64_t tap_row;               // distance between rows of taps
  std::int64_t pixel;                 // distance between the inputs of neighbouring outputs
};

template <int pixels>
[[gnu::always_inline]] inline void sum_vector(const Block& b, std::int64_t c) {
  Vector16 sum[pixels];
  const Vector16 start = vec::load(b.bias + c);
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) sum[p] = start;
  for (std::int64_t y = 0; y < b.rows; ++y) {
    const float* in = b.in + y * b.in_row + c;
    const float* tap = b.taps + y * b.tap_row + c;
    for (std::int64_t x = 0; x < b.columns; ++x, in += b.in_column, tap += b.channels) {
      const Vector16 weight = vec::load(tap);
#pragma GCC unroll 8
      for (int p = 0; p < pixels; ++p) sum[p] += weight * vec::load(in + p * b.pixel);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) vec::store(b.out + p * b.channels + c, sum[p]);
}

// Fewer than sixteen channels.
[[gnu::always_inline]] inline void sum_scalar(const Block& b, int pixels) {
  for (int p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < b.channels; ++c) {
      float sum = b.bias[c];
      for (std::int64_t y = 0; y < b.rows; ++y)
        for (std::int64_t x = 0; x < b.columns; ++x)
          sum += b.taps[y * b.tap_row + x * b.channels + c] *
                 b.in[p * b.pixel + y * b.in_row + x * b.in_column + c];
      b.out[p * b.channels + c] = sum;
    }
}

// The last vector may overlap the one before: it makes the same values again.
INTAGLIO_CLONES void sum_eight(const Block& b) {
  if (b.channels < vector_width) return sum_scalar(b, 8);
  for (std::int64_t c = 0; c < b.channels; c += vector_width)
    sum_vector<8>(b, std::min(c, b.channels - vector_width));
}

INTAGLIO_CLONES void sum_one(const Block& b) {
  if (b.channels < vector_width) return sum_scalar(b, 1);
  for (std::int64_t c = 0; c < b.channels; c += vector_width)
    sum_vector<1>(b, std::min(c, b.channels - vector_width));
}

// The taps [first, last) of an axis that lie inside for the output at `at`.
struct Inside {
  std::int64_t first, last, start;  // start: the position of tap 0, maybe outside
  Inside(const Window& w, std::size_t axis, std::int64_t at) {
    const std::int64_t step = w.dilations[axis];
    start = at * w.strides[axis] - w.begin[axis];
    first = start < 0 ? (-start + step - 1) / step : 0;
    last = std::clamp<std::int64_t>((w.input[axis] - start + step - 1) / step, 0, w.kernel[axis]);
    first = std::min(first, last);
  }
  bool whole(std::int64_t count) const { return first == 0 && last == count; }
};

}  // namespace

Depthwise::Depthwise(const Tensor& filters, const Tensor& bias) : channels_(filters.dim(0)) {
  const std::int64_t taps = product(filters.shape(), 2, filters.shape().size());
  taps_.resize(static_cast<std::size_t>(filters.size()));
  const auto from = filters.data<float>();
  for (std::int64_t c = 0; c < channels_; ++c)
    for (std::int64_t t = 0; t < taps; ++t)
      taps_[static_cast<std::size_t>(t * channels_ + c)] = from[static_cast<std::size_t>(c * taps + t)];
  bias_.assign(static_cast<std::size_t>(channels_), 0.0f);
  if (bias.defined()) std::ranges::copy(bias.data<float>(), bias_.begin());
}

void Depthwise::run(const float* image, const Window& w, std::span<const PostOp> ops,
                    const std::vector<const float*>& addends, float* out) const {
  const std::int64_t height = w.output[0], width = w.output[1], line = width * channels_;
  std::vector<const float*> addend_rows(addends);
  for (std::int64_t oy = 0; oy < height; ++oy, out += line) {
    const Inside rows(w, 0, oy);
    Block block{.in = image, .taps = taps_.data(), .bias = bias_.data(), .out = out,
                .channels = channels_, .rows = rows.last - rows.first, .columns = 0,
                .in_row = w.dilations[0] * w.input[1] * channels_,
                .in_column = w.dilations[1] * channels_, .tap_row = w.kernel[1] * channels_,
                .pixel = w.strides[1] * channels_};
    const float* row = image + (rows.start + rows.first * w.dilations[0]) * w.input[1] * channels_;
    for (std::int64_t ox = 0; ox < width;) {
      const Inside columns(w, 1, ox);
      const bool eight = ox + 8 <= width && columns.whole(w.kernel[1]) &&
                         Inside(w, 1, ox + 7).whole(w.kernel[1]);
      block.columns = columns.last - columns.first;
      block.in = row + (columns.start + columns.first * w.dilations[1]) * channels_;
      block.taps = taps_.data() + (rows.first * w.kernel[1] + columns.first) * channels_;
      block.out = out + ox * channels_;
      if (eight) {
        sum_eight(block);
      } else {
        sum_one(block);
      }
      ox += eight ? 8 : 1;
    }
    apply(ops, out, line, addend_rows.data());
    for (const float*& addend : addend_rows) addend += line;
  }
}

}  // namespace intaglio
