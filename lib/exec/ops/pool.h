// What the pooling operators share: the window on an image, and the walk over channels and rows.
#pragma once

#include "lib/exec/kernel.h"
#include "lib/exec/ops/plane.h"
#include "lib/exec/window.h"

namespace intaglio {

// The window of a pooling node on an input of shape [N, C, spatial...]; the kernel is what the node
// says.
inline Window place_pool(const WindowAttrs& attrs, const Shape& input) {
  if (input.size() < 3)
    throw Error(Code::model, "input of shape " + to_string(input) + " has no spatial axis");
  if (attrs.kernel.empty()) throw Error(Code::model, "attribute kernel_shape is missing");
  return place_window(attrs, std::span(input).subspan(2), attrs.kernel);
}

inline Shape pooled_shape(const Shape& input, const Window& window) {
  Shape shape(input.begin(), input.begin() + 2);
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  return shape;
}

// For every row of outputs, calls body(plane, i, out): i is the row within its channel and out has
// room for window.output.back() values. Places outside of the input read as `padding`.
template <typename T, typename F>
Tensor pool_rows(const Tensor& x, const Window& window, T padding, F body) {
  Tensor y(dtype_of<T>(), pooled_shape(x.shape(), window));
  if (y.size() == 0) return y;
  const T* image = x.data<T>().data();
  T* out = y.mutate<T>().data();
  Plane<T> plane(window, padding);
  for (std::int64_t c = 0; c < x.dim(0) * x.dim(1); ++c, image += element_count(window.input)) {
    plane.load(image);
    for (std::int64_t i = 0; i < plane.rows(); ++i, out += window.output.back())
      body(plane, i, out);
  }
  return y;
}

// out[x] = the sum of the windows of a row.
inline void sum_row(const Plane<float>& plane, std::int64_t i, float* out, std::int64_t width) {
  std::fill_n(out, width, 0.0f);
  for (const std::int64_t tap : plane.taps()) {
    const float* from = plane.row(i) + tap;
    for (std::int64_t x = 0; x < width; ++x) out[x] += from[x];
  }
}

}  // namespace intaglio
