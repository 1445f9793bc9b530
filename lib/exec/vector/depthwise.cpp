#include "lib/exec/vector/depthwise.h"

#include <algorithm>

#include "lib/base/simd.h"
#include "lib/base/team.h"
#include "lib/exec/vector/conv_node.h"

namespace intaglio {

Depthwise::Rows::Rows(const Window& w, std::int64_t top) {
  const std::int64_t step = w.dilations[0];
  first = std::min(top < 0 ? (-top + step - 1) / step : 0, w.kernel[0]);
  last = std::clamp<std::int64_t>((w.input[0] - top + step - 1) / step, first, w.kernel[0]);
}

Depthwise::Depthwise(const Tensor& filters, const Tensor& bias, PostOps ops)
    : channels_(filters.dim(0)),
      taps_(product(filters.shape(), 2, filters.shape().size())),
      ops_(std::move(ops)),
      ending_(ops_) {
  const std::int64_t padded = (channels_ + vector_width - 1) / vector_width * vector_width;
  filters_.assign(static_cast<std::size_t>(padded * taps_), 0.0f);
  bias_.assign(static_cast<std::size_t>(padded), 0.0f);
  const auto from = filters.data<float>();
  // The last vector overlaps the one before, so that it reads no more channels than there are.
  for (std::int64_t v = 0; v < padded; v += vector_width)
    for (std::int64_t i = 0; i < vector_width; ++i) {
      const std::int64_t c = std::min(v, channels_ - vector_width) + i;
      if (bias.defined())
        bias_[static_cast<std::size_t>(v + i)] = bias.data<float>()[static_cast<std::size_t>(c)];
      for (std::int64_t t = 0; t < taps_; ++t)
        filters_[static_cast<std::size_t>(v * taps_ + t * vector_width + i)] =
            from[static_cast<std::size_t>(c * taps_ + t)];
    }
}

void Depthwise::run(const float* image, const Window& w, const std::vector<const float*>& addends,
                    float* out) const {
  const SlidingSum sum = sliding_sum(w);
  if (sum != nullptr) {
    slide(sum, image, w, addends, out);
  } else {
    run_any(image, w, addends, out);
  }
}

void Depthwise::slide(SlidingSum sum, const float* image, const Window& w,
                      const std::vector<const float*>& addends, float* out) const {
  const std::int64_t line = w.output[1] * channels_;
  split(w.output[0], rows_worth_splitting(line * taps_),
        [&](std::int64_t top, std::int64_t bottom) {
          std::vector<const float*> rest(addends);
          for (const float*& a : rest) a += top * line;
          for (std::int64_t y = top; y < bottom; ++y) {
            slide_row(sum, image, w, y, out + y * line);
            finish(out + y * line, line, rest);
          }
        });
}

void Depthwise::slide_row(SlidingSum sum, const float* image, const Window& w, std::int64_t y,
                          float* out) const {
  const std::int64_t width = w.output[1], blocks = (width + sliding_pixels - 1) / sliding_pixels;
  const std::int64_t line = w.input[1] * channels_, step = channels_at_once();
  const std::int64_t top = y * w.strides[0] - w.begin[0];
  const Rows rows(w, top);
  const float* row = image + (top + rows.first * w.dilations[0]) * line;
  for (std::int64_t c = 0; c < channels_; c += step)
    for (std::int64_t i = 0; i < blocks; ++i) {
      const std::int64_t first = width * i / blocks, pixels = width * (i + 1) / blocks - first;
      const std::int64_t left = first * w.strides[1] - w.begin[1];  // column of the first tap
      sum(pixels,
          {.in = row + left * channels_,
           .filters = filters_.data(),
           .bias = bias_.data(),
           .out = out + first * channels_,
           .ending = ending_,
           .channels = channels_,
           .line = w.dilations[0] * line,
           .rows = rows.last - rows.first,
           .skipped = rows.first * w.kernel[1],
           .first = -left,
           .last = w.input[1] - left},
          c, std::min(c + step, channels_));
    }
}

// With large filters a row is gone through sixteen channels at a time: their filters and the rows
// of the image that they cover then stay in the first-level cache.
std::int64_t Depthwise::channels_at_once() const {
  constexpr std::int64_t large = 16;  // taps
  return taps_ > large ? vector_width : channels_;
}

// What is left of the operations, on a row that is still in the cache.
void Depthwise::finish(float* out, std::int64_t line, std::vector<const float*>& addends) const {
  apply(std::span(ops_).subspan(ending_.taken), out, line, addends.data());
  for (const float*& addend : addends) addend += line;
}

}  // namespace intaglio
