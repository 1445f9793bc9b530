// The cell of LSTM and DynamicQuantizeLSTM.
#pragma once

#include "lib/exec/ops/recurrent.h"

namespace intaglio {

// Gates in the order i, o, f, c; peepholes in the order i, o, f (onnx/Operators.md, LSTM).
MakeCell lstm_cell(const Node& node);

}  // namespace intaglio
