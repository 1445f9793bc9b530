// The scale of what a LeakyRelu reads, kept behind it.
//
// Between quantized tensors values are rounded twice: before the LeakyRelu and behind it. With one
// scale for both, those above zero keep their codes, and the second rounding is left to those
// below. The price is a step as wide as the range before the LeakyRelu asks for, so that it pays
// where few values lie below zero.
#pragma once

#include <optional>

#include "calibration/statistics/statistics.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// The range that gives the result of a LeakyRelu the scale of its input, when that leaves less
// squared error than its own range `made`: sum over the values y < 0 of (y - q(y))^2, against the
// sum over all of them. `read` is the range of the input, slope is in 0..1, result the statistics
// of the result, with a histogram; both tensors are quantized to the same grid.
std::optional<Range> leaky_relu_scale(const Range& read, const Range& made, double slope,
                                      const Statistics& result, const Grid& grid, double min_range);

}  // namespace intaglio
