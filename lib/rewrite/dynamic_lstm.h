// LSTM of the dynamic form.
//
// Before:  LSTM(x, w, r, b, ...)
// After:   com.microsoft.DynamicQuantizeLSTM(x, w_int8, r_int8, b, ..., scales and zero points)
//
// Weights are turned: (directions, 4 * hidden, n) becomes (directions, n, 4 * hidden). Their scales
// are (directions), or (directions, 4 * hidden), the same for both directions. Data and states are
// quantized by the operator itself (onnxruntime/docs/ContribOperators.md).
#pragma once

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// plan: of this node, with both W and R among its constants. layout must be 0.
void write_dynamic_lstm(Node& node, const NodePlan& plan);

}  // namespace intaglio
