// Gathering by one index list per axis: what Pad and nearest-neighbour Resize have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

// For every axis, the source index of each index of the result; -1: the fill value.
using AxisIndices = std::vector<std::vector<std::int64_t>>;

// y[i0, i1, ...] = x[grid[0][i0], grid[1][i1], ...]. fill: one element of the type of x, or a
// Tensor that is not defined when no index is -1.
Tensor gather_axes(const Tensor& x, const AxisIndices& grid, const Tensor& fill);

}  // namespace intaglio
