// Convolution of one float image, shared by Conv, QLinearConv and ConvInteger.
//
// Two methods: when every filter reads a single channel (depthwise), rows are summed tap by tap in
// vector registers; otherwise the windows are laid out as the columns of a matrix, strip by strip,
// and multiplied with the filters (im2col). A result depends on the image and the filters only.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/exec/ops/gemm.h"
#include "lib/exec/window.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// The shape [M, C / group, kernel...] of filters, and what it says about inputs.
class ConvolutionShape {
 public:
  // Throws Code::model when the shape does not fit the group.
  ConvolutionShape(Shape filters, std::int64_t group);

  const Shape& filter_shape() const { return filters_; }
  std::int64_t group() const { return group_; }
  std::int64_t outputs() const { return filters_[0]; }
  std::int64_t channels() const { return filters_[1] * group_; }

  // Throws Code::model unless there is one value for each filter.
  void require_bias(const Shape& bias) const;

  // The window on an input of shape [N, C, spatial...]. Throws Code::model when they do not fit.
  Window place(const WindowAttrs& attrs, const Shape& input) const;

 private:
  Shape filters_;
  std::int64_t group_;
};

class Convolution : public ConvolutionShape {
 public:
  // filters: f32.
  Convolution(const Tensor& filters, std::int64_t group);

  // image: [C, window.input...]; bias: M values or null; out: [M, window.output...].
  void run(const float* image, const Window& window, const float* bias, float* out) const;

  // The same, exact, for images and filters of integers in [-255, 255].
  void run(const float* image, const Window& window, std::int32_t* out) const;

 private:
  template <typename Out>
  void dispatch(const float* image, const Window& window, const float* bias, Out* out) const;
  template <typename Out>
  void depthwise(const float* image, const Window& window, const float* bias, Out* out) const;
  template <typename Out>
  void by_columns(const PackedLeft& filters, const float* image, const Window& window,
                  const float* bias, Out* out) const;

  Tensor filters_;
  std::vector<PackedLeft> packed_;  // by group; empty when depthwise
};

}  // namespace intaglio
