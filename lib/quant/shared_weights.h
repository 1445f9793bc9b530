// Weights that several nodes read: one set of codes serves them all.
#pragma once

#include "lib/quant/plan.h"

namespace intaglio {

// Constants of the plan with one name and one scheme get one set of scales: of each, the largest
// that any of the nodes needs (for its bias, or so that its sums do not overflow). Where codes were
// chosen, or the parameters are those of activations, they stay. Returns whether a scale changed:
// then the scales of biases that follow from them are out of date.
bool unite_shared_weights(Plan& plan);

}  // namespace intaglio
