// What is known of the second moments of inputs without data.
#pragma once

#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

// A normalization (LayerNormalization, RMSNormalization, SimplifiedLayerNormalization and their Skip
// forms, or a Mul with a constant behind one that was taken apart) makes values whose squares are 1
// in the mean, times its scale: E x_k^2 is the square of the scale of channel k. Returns one number
// for each channel of the value, their mean 1 and 0.01 added, as importance_of() has them; empty:
// nothing is known.
std::vector<float> known_importance(const Value& value, std::size_t width);

}  // namespace intaglio
