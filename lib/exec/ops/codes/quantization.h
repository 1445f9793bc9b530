// The arithmetic of quantized operators: where scales and zero points apply, and the two
// conversions. ONNX, QuantizeLinear: y = saturate(round_half_even(x / scale) + zero_point);
// DequantizeLinear: x = (y - zero_point) * scale.
#pragma once

#include <cstdint>

#include "lib/tensor/tensor.h"

namespace intaglio {

// Which scale an element has: one for all, one per index of an axis, or one per block along an
// axis.
struct ScaleMap {
  std::int64_t outer = 1, length = 1, inner = 1;  // the tensor around the axis
  std::int64_t block = 1;                         // neighbours along the axis that share a scale
  std::int64_t outer_step = 0, axis_step = 0, inner_step = 0;  // strides of the scales

  // axis: -rank..rank-1, used unless the scale is a single value. block_size 0: not blocked.
  // Throws Code::model when the shapes do not fit.
  ScaleMap(const Shape& shape, const Shape& scale, std::int64_t axis, std::int64_t block_size);

  // Calls f(first element, count, first scale): count elements whose scales are inner_step (0 or 1)
  // apart.
  template <typename F>
  void for_each_run(F f) const {
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t l = 0; l < length; ++l)
        f((o * length + l) * inner, inner, o * outer_step + l / block * axis_step);
  }
};

struct CodeRange {
  std::int32_t lo, hi;
};
// Code::unsupported for types that are no quantized ones.
CodeRange code_range(DType type);

// x: f32; scale: f32; zero_point: s32 of the shape of the scale, or not defined; 0 for 8-bit
// floats.
Tensor quantize(const Tensor& x, const Tensor& scale, const Tensor& zero_point, const ScaleMap& map,
                DType type);
Tensor dequantize(const Tensor& codes, const Tensor& scale, const Tensor& zero_point,
                  const ScaleMap& map);

// saturate(round_half_even(sums * multiplier) + zero_point): the last step of the QLinear
// operators. sums: s32; multiplier: f32, placed by the map; zero_point: one s32.
Tensor requantize(const Tensor& sums, const Tensor& multiplier, const Tensor& zero_point,
                  const ScaleMap& map, DType type);

// What DynamicQuantizeLinear makes of f32 values: the scale and zero point of their own range,
// widened to hold 0, and the u8 codes.
struct DynamicCodes {
  Tensor codes;
  float scale;
  std::int32_t zero_point;
};
DynamicCodes quantize_dynamically(const Tensor& x);

// codes - zero_point as f32. The zero point is a single value, one per index of `axis`, or
// broadcasts.
Tensor centred(const Tensor& codes, const Tensor* zero_point, std::int64_t axis);

}  // namespace intaglio
