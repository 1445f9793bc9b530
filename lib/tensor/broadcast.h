// Multidirectional broadcasting, as ONNX defines it (docs/Broadcasting.md of the onnx project).
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/shape.h"

namespace intaglio {

// The common shape, or Code::model when two lengths differ and neither is 1.
Shape broadcast_shapes(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

// Strides, in elements, with which a row-major tensor of `shape` is read under the broadcast
// `target` shape: 0 along the axes it is repeated on. Same length as target.
Shape broadcast_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> target);

}  // namespace intaglio
