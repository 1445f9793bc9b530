// 8-bit floats as storage types. float8e4m3fn: 1 + 4 + 3 bits, bias 7, up to 448, without
// infinities. float8e5m2: 1 + 5 + 2 bits, bias 15, up to 57344, with infinities.
// (onnx/docs/docsgen/source/technical/float8.md)
#pragma once

#include <cstdint>

#include "lib/tensor/dtype.h"

namespace intaglio {

// The value that a code of this type stands for; exact.
float float8_value(DType type, std::uint8_t code);

// The nearest value, halfway cases to the even code. What lies beyond the range, infinities too,
// becomes its end; NaN stays NaN.
std::uint8_t float8_code(DType type, float value);

}  // namespace intaglio
