// Dense copies of strided views: what Transpose, Slice, Expand and Tile have in common.
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/tensor.h"

namespace intaglio {

// Fills `to`, row-major, with the elements first + sum(index[d] * strides[d]) of `from`, which has
// the same element type. strides has one entry per axis of `to`; 0 repeats, negative walks
// backwards. The caller guarantees that every element exists. Code::unsupported for packed
// elements.
void copy_strided(const Tensor& from, std::int64_t first, std::span<const std::int64_t> strides,
                  Tensor& to);

}  // namespace intaglio
