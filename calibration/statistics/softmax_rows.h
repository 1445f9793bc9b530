// What a Softmax sees of its input. Of a row, e^-20 of the largest value is nothing in 8 bits: what
// lies further below it, masked elements above all, must not decide the range.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

inline constexpr float softmax_reach = 20;  // below the largest value of a row

// The axis, counted from the front, when Softmax nodes along one axis are all that reads the value;
// nullopt otherwise. The rank must be known for an axis counted from the back.
std::optional<std::int64_t> softmax_axis(const Value& value);

// The elements of a row-major float tensor, each at least its row's largest less softmax_reach.
// Rows that are masked as a whole, with nothing above -1000, are left out, as are those with a NaN.
std::vector<float> seen_by_softmax(const Tensor& tensor, std::int64_t axis);

}  // namespace intaglio
