// Ranges of weights: the calibration methods on values that are known exactly.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/ranges/methods/selector.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// What stands for no method in particular.
inline constexpr std::string_view best_weight_method = "best";

// best_weight_method, the default, takes min-max or mse for each channel, whichever has the smaller squared
// error. Otherwise a calibration method, applied to each channel.
struct WeightMethod {
  std::string text{best_weight_method};
  std::optional<Method> method;  // nullopt: best
};
WeightMethod parse_weight_method(std::string_view text);  // throws as parse_method() does

// One range, or one per index of scheme.axis. Throws Code::model naming the first NaN or infinity.
std::vector<Range> weight_ranges(const Tensor& weight, const Scheme& scheme,
                                 const WeightMethod& method);

// The range i/64 * [lo, hi], of those from the whole one down that get no better by clipping more,
// under which the values themselves have the least squared error. {0, 0} for no values.
Range least_squares_range(std::span<const float> values, const Grid& grid);

}  // namespace intaglio
