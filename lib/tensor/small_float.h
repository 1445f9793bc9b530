// Floats of 8 and 4 bits as storage types:
//   float8e4m3fn  1 + 4 + 3 bits, bias 7, up to 448, without infinities
//   float8e5m2    1 + 5 + 2 bits, bias 15, up to 57344, with infinities
//   float4e2m1    1 + 2 + 1 bits, bias 1, up to 6, with neither infinities nor NaN
// (onnx/docs/docsgen/source/technical/float8.md, float4.md)
#pragma once

#include <cstdint>

#include "lib/tensor/dtype.h"

namespace intaglio {

// The value that a code of this type stands for; exact.
float small_float_value(DType type, std::uint8_t code);

// The nearest value, halfway cases to the even code. What lies beyond the range, infinities too,
// becomes its end; NaN stays NaN, or becomes -0 where there is none (as the onnx project has it).
std::uint8_t small_float_code(DType type, float value);

}  // namespace intaglio
