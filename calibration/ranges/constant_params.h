// The parameters of weights, constant operands and biases.
#pragma once

#include "calibration/ranges/select.h"

namespace intaglio {

// By the weight method, with the guards against overflow (see select()). The parameters of
// activations must be there.
void choose_constants(Plan& plan, const Graph& graph, const SelectOptions& options);

}  // namespace intaglio
