// The dynamic writer: activations are quantized while the model runs, with the range of the data
// itself.
//
// Before:  MatMul(x, w)
// After:   xq, x_scale, x_zero = DynamicQuantizeLinear(x)
//          Mul(Cast(MatMulInteger(xq, w_int8, x_zero)), Mul(x_scale, w_scale))
//
// Conv and Gemm likewise, with ConvInteger, and the bias added in float. Runtimes recognise this
// chain (ONNX Runtime: DynamicQuantizeMatMul). An LSTM becomes com.microsoft's DynamicQuantizeLSTM
// where that is allowed. What has weights but no such form (ConvTranspose, GRU, Gather) gets them
// as the weights writer does. Nothing is calibrated.
#pragma once

#include <string>

#include "lib/graph/model.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// The target as a draft for this form sees it: ONNX Runtime's ConvInteger takes one zero point for
// all filters, so unsigned weights have the one in the middle. Throws Code::config for 16-bit
// weights.
Target dynamic_target(Target target);

// Why a node of the plan keeps its arithmetic in float, with weights in codes; empty: it computes
// on codes. microsoft: operators of com.microsoft may be written.
std::string float_arithmetic(const Node& node, const NodePlan& plan, bool microsoft);

// Rewrites the prepared model that the plan was drafted for (draft_weights). Throws Code::config
// when the plan does not fit the model.
void write_dynamic(Model& model, const Plan& plan, bool microsoft = false);

}  // namespace intaglio
