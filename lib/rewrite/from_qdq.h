// Models that hold Q/DQ already: exports of quantization-aware training, other tools' output.
//
// Before:  w (float) -> QuantizeLinear -> DequantizeLinear -> Conv, or QLinearConv, or both mixed
// After:   w (int8) -> DequantizeLinear -> Conv
//
// Nothing is calibrated and no scale changes: codes, scales and zero points are those of the model.
#pragma once

#include "lib/graph/model.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/form.h"

namespace intaglio {

// Float constants that a QuantizeLinear with constant parameters reads become codes; returns how
// many. The result is what the operator itself makes of them.
int store_quantized_constants(Model& model);

struct ConversionResult {
  int expanded = 0, stored = 0;  // operators on codes that became pairs; constants stored as codes
  std::vector<IntegerDecision> decisions;  // with qoperator: which nodes compute on codes
};
// Brings a quantized model into the form qdq or qoperator. Throws Code::model for Q/DQ nodes
// that no runtime reads (scales of 0, negative or NaN; zero points of another type or number;
// scales that do not fit their axis).
ConversionResult convert_quantized(Model& model, OutputForm form, bool microsoft_operators);

}  // namespace intaglio
