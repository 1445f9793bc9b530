// The windows of an image as the columns of a matrix ("im2col"), ready for gemm().
#pragma once

#include <cstdint>

#include "lib/exec/ops/gemm.h"
#include "lib/exec/window.h"

namespace intaglio {

// Columns [first, first + count) of the matrix with one row per (channel, tap) and one column per
// output position, in row-major order of both. image: [channels, window.input...].
PackedRight window_columns(const Window& window, const float* image, std::int64_t channels,
                           std::int64_t first, std::int64_t count);

}  // namespace intaglio
