// Resizing along axes, as the Resize operator defines it (onnx/Operators.md, Resize): shared by
// Resize and Upsample. Linear and cubic interpolation are separable: each axis has its own table of
// taps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

struct ResampleOptions {
  std::string mode = "nearest";                // nearest, linear, cubic
  std::string coordinates = "half_pixel";      // ONNX's coordinate_transformation_mode
  std::string nearest = "round_prefer_floor";  // or "simple": opset 10's, ceil when shrinking
  float cubic_a = -0.75f;
  float extrapolation = 0.0f;  // the value outside of the input, for tf_crop_and_resize
  bool exclude_outside = false;
  bool antialias = false;
};

// How one axis changes.
struct AxisResize {
  std::int64_t input = 0, output = 0;
  float scale = 1;           // output over input, as the node gives it
  float start = 0, end = 1;  // region of interest, for tf_crop_and_resize
};

// Resizes every axis. Interpolation converts integers to float and truncates the result.
// Throws Code::model for words that are not defined and for an empty input of a result that is not.
Tensor resample(const Tensor& x, const std::vector<AxisResize>& axes,
                const ResampleOptions& options);

}  // namespace intaglio
