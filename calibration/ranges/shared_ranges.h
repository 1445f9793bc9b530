// One range for each group of values that share their parameters.
#pragma once

#include "calibration/ranges/activation_ranges.h"

namespace intaglio {

// Joins the ranges of each group, those of constants in it included, adjusts them (unshared.h,
// leaky_relu_scale.h, distinct_values.h) and computes the parameters of every activation.
void share_ranges(Plan& plan, const SeenValues& seen, const SelectOptions& options);

}  // namespace intaglio
