// The QOperator writer: a plan becomes operators that compute on codes.
//
// Before:  x -> Conv(w, b) -> Relu -> y
// After:   x -> QuantizeLinear -> QLinearConv(w_int8, b_int32) -> DequantizeLinear -> y
//
// The model is written as QDQ (lib/rewrite/qdq.h) and its clusters are taken by the rules by which
// it would be executed (lib/passes/qdq/fuse_qdq.h), so both forms compute the same. Standard ONNX
// has QLinearConv, QLinearMatMul, MatMulInteger and the operators that only move values; the other
// operators stay between DequantizeLinear and QuantizeLinear unless those of com.microsoft are
// allowed; then an LSTM becomes DynamicQuantizeLSTM, too. A Relu or Clip goes where the range of
// the codes does the same, and works on codes elsewhere.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/graph/model.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// The target as a draft for this form sees it: an operator on codes takes no activation along but
// Relu and Clip, so every other one has codes before it. Throws Code::config for codes of 16 bits,
// which these operators do not have.
Target qoperator_target(Target target);

struct QOperatorResult {
  std::map<std::string, std::string> codes;  // by activation of the plan, the value with its codes
  std::vector<IntegerDecision>
      decisions;  // which nodes compute on codes, and why the others do not
};
// Rewrites the prepared model that the plan was drafted for. Throws what write_qdq() throws.
QOperatorResult write_qoperator(Model& model, const Plan& plan, bool microsoft_operators,
                                bool floats_kept = false);

// Q/DQ pairs of any origin become operators on codes, by the same rules.
std::vector<IntegerDecision> qdq_to_qoperator(Model& model, bool microsoft_operators);

// DequantizeLinear behind the codes of the activations that are still in the graph, for those who
// compare them with float values. Returns the value that holds them by activation.
std::map<std::string, std::string> dequantize_codes(
    Graph& graph, const Plan& plan, const std::map<std::string, std::string>& codes);

}  // namespace intaglio
