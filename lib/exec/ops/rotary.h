// Rotary position embedding ("RoFormer", Su et al. 2021): turns pairs of values by an angle that
// depends on their position. Shared by RotaryEmbedding of ONNX and of com.microsoft.
#pragma once

#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

struct RotaryOptions {
  std::int64_t rotated = 0;  // the first so many values of a head turn; 0: all
  bool interleaved = false;  // pairs are neighbours, otherwise half the rotated values apart
};

// x: f32 [batch, heads, length, depth]. cosines, sines: f32, rows of rotated / 2 values; rows:
// which of them each position of each sample takes, batch * length entries. Throws Code::model when
// the sizes do not fit or a row is not there.
Tensor rotate(const Tensor& x, const Tensor& cosines, const Tensor& sines,
              const std::vector<std::int64_t>& rows, const RotaryOptions& options);

}  // namespace intaglio
