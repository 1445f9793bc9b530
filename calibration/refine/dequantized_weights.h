// The float network whose weights are what their codes stand for.
#pragma once

#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// A copy of the model. Constants that several nodes read stay as they are: each may have codes of
// its own.
Model rounded_weights(const Model& model, const Plan& plan);

}  // namespace intaglio
