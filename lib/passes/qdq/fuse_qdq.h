// The integer form of a QDQ model: what a runtime makes of its DequantizeLinear - operator -
// QuantizeLinear clusters.
//
//   Before: DequantizeLinear -> Conv (-> Relu) -> QuantizeLinear
//   After:  QLinearConv
//
// Which clusters are taken, and into what, follows ONNX Runtime's QDQ transformer for x86-64
// (onnxruntime/core/optimizer/qdq_transformer), so that both compute the same; what is not taken
// stays as it is and runs in float, with a reason. Operators without a standard integer form become
// those of the domain com.microsoft. The QOperator writer (lib/rewrite/qoperator.h) makes files
// with the same rules, limited to what a file may hold.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/model.h"
#include "lib/passes/qdq/float_reason.h"

namespace intaglio {

struct IntegerDecision {
  std::string node, op;
  std::string reason;   // why it stays in float; empty: it runs on integers
  Why why = Why::none;  // the kind of the reason
  bool integer() const { return why == Why::none; }
};

struct IntegerForm {
  std::vector<IntegerDecision> nodes;  // those of the main graph that read or make codes
};

// True for operators that compute on codes by definition: QLinear..., ...Integer, QGemm and such.
bool is_integer_operator(const Node& node);

// QuantizeLinear and DequantizeLinear.
bool is_conversion(const Node& node);

// True for a node that reads the result of a DequantizeLinear or whose result is quantized: one of
// a cluster, taken or not. Shape and Size only look.
bool touches_codes(const Node& node);

// True for an operator whose form on codes rounds otherwise than the float one: not for those that
// move values about or compare them.
bool computes_on_codes(const Node& node);

// Operators of com.microsoft whose weights are codes in groups: MatMulNBits, GatherBlockQuantized.
bool holds_packed_codes(const Node& node);

// True when the graph holds quantized values: QuantizeLinear, DequantizeLinear or operators on
// codes.
bool has_quantized_values(const Graph& graph);

// Imports the domain com.microsoft when nodes of the main graph are of it.
void import_microsoft(Model& model);

struct IntegerOptions {
  // Float values (results of DequantizeLinear) that somebody wants to look at: they stay although
  // no operator reads them.
  std::function<bool(std::string_view value)> keep = {};
  // Whether convolutions and MatMul take int8 activations, as ONNX Runtime's for ARM do. Its ones
  // for x86-64 do not: there int8 becomes uint8 where a value has a single reader, and stays in
  // float elsewhere.
  bool signed_activations = false;
  // Whether operators of com.microsoft may be made. Without them an operator that the standard has
  // no integer form of stays between DequantizeLinear and QuantizeLinear.
  bool microsoft = true;
  // A Relu or Clip that the range of the codes does not make redundant becomes a Clip of codes; by
  // default the operator before it stays in float, as it does in ONNX Runtime.
  bool clip_codes = false;
  // Float weights between pairs get int8 codes of one scale, as in ONNX Runtime.
  bool float_weights = true;
  // A MatMul and the Add that alone reads it are one Gemm, as in ONNX Runtime (gemm_of_matmul.h).
  bool joins_bias = true;
  // Products whose weights alone are codes round their data to 8 bits by blocks and run on
  // integers, as in ONNX Runtime at its defaults.
  bool blocks = false;
  // Weights of operators that stay in float are dequantized now, not in every run.
  bool fold_weights = true;
};

// Rewrites the model in place.
IntegerForm fuse_integers(Model& model, const IntegerOptions& options = {});

}  // namespace intaglio
