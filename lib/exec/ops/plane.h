// One channel of an input, laid out so that a window reads it without a bounds check: padded, and,
// for strides above 1, with the last axis split into phases, so that one tap of the windows of
// neighbouring outputs lies in neighbouring elements.
//
//   Plane<float> plane(window, 0.0f);
//   plane.load(image);
//   out[i * width + x] = sum over t of weight[t] * plane.row(i)[plane.taps()[t] + x]
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/exec/window.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// to[i] = from[i * stride]; the common strides are known to the compiler, which makes vector code
// of them.
template <typename T>
void copy_every(const T* from, std::int64_t stride, std::int64_t count, T* to) {
  if (stride == 1) {
    std::copy_n(from, count, to);
  } else if (stride == 2) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[2 * i];
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
  }
}

template <typename T>
class Plane {
 public:
  // Readers may take up to this many elements past the end of a row.
  static constexpr std::int64_t slack = 64;

  Plane(const Window& window, T padding) : window_(window) {
    const std::size_t last = window.rank() - 1;
    const std::int64_t stride = window.strides[last];
    phase_ = window.output[last] + (window.extent(last) - 1) / stride;
    for (std::size_t axis = 0; axis < last; ++axis)
      lengths_.push_back((window.output[axis] - 1) * window.strides[axis] + window.extent(axis));
    lengths_.push_back(stride * phase_);
    strides_ = strides_of(lengths_);
    storage_ = Tensor(dtype_of<T>(), {element_count(lengths_) + slack});
    data_ = storage_.template mutate<T>().data();
    std::fill_n(data_, storage_.size(), padding);
    place_taps();
    place_rows();
  }

  // The image holds the elements of window.input, row-major.
  void load(const T* image) {
    if (element_count(window_.input) == 0) return;
    const std::size_t last = window_.rank() - 1;
    Shape position(last, 0);
    do {
      std::int64_t to = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < last; ++axis) {
        const std::int64_t at = position[axis] + window_.begin[axis];
        inside = inside && at >= 0 && at < lengths_[axis];
        to += at * strides_[axis];
      }
      if (inside) load_row(image, data_ + to);
      image += window_.input[last];
    } while (next_position(position, std::span(window_.input).first(last)));
  }

  std::span<const std::int64_t> taps() const { return taps_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(rows_.size()); }
  const T* row(std::int64_t i) const { return data_ + rows_[static_cast<std::size_t>(i)]; }

 private:
  void load_row(const T* image, T* to) {
    const std::size_t last = window_.rank() - 1;
    const std::int64_t stride = window_.strides[last], begin = window_.begin[last];
    for (std::int64_t p = 0; p < stride; ++p) {
      // Element i of phase p is the input at i * stride + p - begin.
      const std::int64_t skip = begin - p;
      const std::int64_t first = skip > 0 ? (skip + stride - 1) / stride : 0;
      const std::int64_t stop =
          std::min(phase_, (window_.input[last] + skip + stride - 1) / stride);
      const T* from = image - skip;
      T* line = to + p * phase_;
      if (first < stop) copy_every(from + first * stride, stride, stop - first, line + first);
    }
  }

  void place_taps() {
    const std::size_t last = window_.rank() - 1;
    Shape tap(window_.rank(), 0);
    do {
      std::int64_t offset = 0;
      for (std::size_t axis = 0; axis < last; ++axis)
        offset += tap[axis] * window_.dilations[axis] * strides_[axis];
      const std::int64_t x = tap[last] * window_.dilations[last], stride = window_.strides[last];
      taps_.push_back(offset + x % stride * phase_ + x / stride);
    } while (next_position(tap, window_.kernel));
  }

  void place_rows() {
    const auto outer = std::span(window_.output).first(window_.rank() - 1);
    if (element_count(window_.output) == 0) return;
    Shape position(outer.size(), 0);
    do {
      std::int64_t offset = 0;
      for (std::size_t axis = 0; axis < outer.size(); ++axis)
        offset += position[axis] * window_.strides[axis] * strides_[axis];
      rows_.push_back(offset);
    } while (next_position(position, outer));
  }

  Window window_;
  std::int64_t phase_ = 0;  // elements of one phase of a row
  Shape lengths_, strides_;
  Tensor storage_;
  T* data_ = nullptr;
  std::vector<std::int64_t> taps_, rows_;
};

}  // namespace intaglio
