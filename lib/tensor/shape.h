// Shapes: the lengths of the axes of a tensor, outermost first. A scalar has no axes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace intaglio {

using Shape = std::vector<std::int64_t>;

// The number of elements. Throws Code::model for a negative length and for a product that does not
// fit 2^62: nothing is allocated for absurd dimensions.
std::int64_t element_count(std::span<const std::int64_t> shape);

std::string to_string(std::span<const std::int64_t> shape);  // "[1,3,224,224]"

// Row-major strides, in elements.
Shape strides_of(std::span<const std::int64_t> shape);

// Maps an axis in [-rank, rank) to [0, rank); Code::model otherwise. For a scalar that ONNX treats
// as a vector of one, pass rank 1.
std::int64_t normalized_axis(std::int64_t axis, std::int64_t rank);

// The product of the lengths in [first, last).
std::int64_t product(std::span<const std::int64_t> shape, std::size_t first, std::size_t last);

}  // namespace intaglio
