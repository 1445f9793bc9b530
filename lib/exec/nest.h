// Loops over a shape whose elements several operands read or write with strides of their own.
//
// A Nest merges neighbouring axes wherever every operand steps through them evenly, so that the
// innermost run is as long as it can be: two tensors of one shape become a single run, a tensor and
// a per-channel operand become one run per channel. Kernels write a tight loop for a run and leave
// the rest to rows().
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lib/tensor/broadcast.h"
#include "lib/tensor/shape.h"

namespace intaglio {

// N operands; strides and offsets are in elements.
template <std::size_t N>
class Nest {
 public:
  using Offsets = std::array<std::int64_t, N>;
  struct Axis {
    std::int64_t length;
    Offsets strides;
  };

  // strides[k][d]: how far operand k moves along axis d; 0 repeats, negative walks backwards.
  // Throws Code::model when the shape has more elements than element_count() allows.
  Nest(std::span<const std::int64_t> shape, const std::array<Shape, N>& strides)
      : count_(element_count(shape)) {
    for (std::size_t d = 0; d < shape.size() && count_ > 0; ++d)
      if (shape[d] != 1) append(shape[d], strides, d);
    if (axes_.empty()) axes_.push_back({count_, {}});
  }

  std::int64_t count() const { return count_; }               // elements of the shape
  std::int64_t inner() const { return axes_.back().length; }  // elements of a run
  const Offsets& inner_strides() const { return axes_.back().strides; }
  const std::vector<Axis>& axes() const { return axes_; }  // merged, outermost first, never empty

  // Calls row(first, at) for every run in row-major order: `first` counts the elements before it,
  // at[k] is where operand k starts.
  template <typename F>
  void rows(F row) const {
    std::vector<std::int64_t> index(axes_.size() - 1);
    Offsets at{};
    for (std::int64_t first = 0; first < count_; first += inner()) {
      row(first, std::as_const(at));
      for (std::size_t d = index.size(); d-- > 0;) {
        const Axis& axis = axes_[d];
        for (std::size_t k = 0; k < N; ++k) at[k] += axis.strides[k];
        if (++index[d] < axis.length) break;
        for (std::size_t k = 0; k < N; ++k) at[k] -= axis.length * axis.strides[k];
        index[d] = 0;
      }
    }
  }

 private:
  void append(std::int64_t length, const std::array<Shape, N>& strides, std::size_t d) {
    Axis axis{length, {}};
    bool merges = !axes_.empty();
    for (std::size_t k = 0; k < N; ++k) {
      axis.strides[k] = strides[k][d];
      merges = merges && axes_.back().strides[k] == length * axis.strides[k];
    }
    if (merges) {
      axis.length *= axes_.back().length;
      axes_.back() = axis;
    } else {
      axes_.push_back(axis);
    }
  }

  std::int64_t count_;
  std::vector<Axis> axes_;
};

// The nest over `target` in which operands of these shapes are repeated as broadcasting does. Along
// the innermost run an operand moves by 1 or by 0.
template <std::size_t N>
Nest<N> broadcast_nest(std::span<const std::int64_t> target, const std::array<Shape, N>& shapes) {
  std::array<Shape, N> strides;
  for (std::size_t k = 0; k < N; ++k) strides[k] = broadcast_strides(shapes[k], target);
  return Nest<N>(target, strides);
}

}  // namespace intaglio
