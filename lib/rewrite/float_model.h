// The float model that a quantized one stands for: what refinement changed, and every constant on its
// grid, without a pair.
//
// Before:  x -> Conv(w, b) -> Relu
// After:   x -> Conv(w', b') -> Relu         w' = scale * (code of w - zero point), b' likewise
//
// For tools that read float models and choose codes themselves, by scales that they are told: weights
// that lie on the grid of these scales come out with the codes that the quantized model has. It
// computes what the Q/DQ model does without the pairs of its activations.
#pragma once

#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites the prepared and refined model that the plan is for. A constant whose readers have it on
// different grids becomes one for each. Throws Code::config when the plan does not fit the model, and
// Code::unsupported for weights in groups, of which a plan says nothing.
void write_float_model(Model& model, const Plan& plan);

}  // namespace intaglio
