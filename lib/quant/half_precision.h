// Floats stored in 16 bits: float16 (1 + 5 + 10 bits, IEEE binary16) and bfloat16 (1 + 8 + 7).
//
//            largest      smallest normal   smallest above 0
//   float16   65504        2^-14             2^-24
//   bfloat16  3.39e38      2^-126            2^-133
#pragma once

#include <cstdint>

#include "lib/quant/qparams.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// -largest..largest of float16 or bfloat16.
Range half_range(DType type);

// The elements of a float tensor, rounded half to even. Finite ones beyond the range become its
// ends, not infinities; infinities and NaN stay what they are.
Tensor to_half(const Tensor& tensor, DType type);

// What to_half() cannot keep.
struct HalfLoss {
  std::uint64_t beyond = 0;    // finite elements beyond the range
  std::uint64_t vanished = 0;  // elements other than 0 that become 0
};
HalfLoss half_loss(const Tensor& tensor, DType type);

}  // namespace intaglio
