// Normalization of the elements behind an axis: shared by LayerNormalization, RMSNormalization and
// their relatives of com.microsoft.
#pragma once

#include <cstdint>

#include "lib/tensor/tensor.h"

namespace intaglio {

struct LayerNorm {
  double epsilon = 1e-5;
  bool centered = true;  // false: by the root mean square, nothing is subtracted
};

struct LayerNormResult {
  Tensor y;  // f32, the shape of x
  Tensor means,
      inverses;  // f32, the shape of x with 1 from the axis on; 1 / sqrt(variance + epsilon)
};

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias, over the axes from `axis` (in [0,
// rank)) on. All f32; scale and bias broadcast to these axes (Code::model otherwise); bias may be
// undefined.
LayerNormResult normalize_layers(const Tensor& x, std::int64_t axis, const Tensor& scale,
                                 const Tensor& bias, const LayerNorm& options);

}  // namespace intaglio
