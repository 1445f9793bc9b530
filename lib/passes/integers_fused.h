// The integer form of a QDQ model: what a runtime makes of its DequantizeLinear - operator -
// QuantizeLinear clusters.
//
//   Before: DequantizeLinear -> Conv (-> Relu) -> QuantizeLinear
//   After:  QLinearConv
//
// Which clusters are taken, and into what, follows ONNX Runtime's QDQ transformer for x86-64
// (onnxruntime/core/optimizer/qdq_transformer), so that both compute the same; what is not taken
// stays as it is and runs in float, with a reason. Operators without a standard integer form become
// those of the domain com.microsoft.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/model.h"

namespace intaglio {

struct IntegerDecision {
  std::string node, op;
  std::string reason;  // why it stays in float; empty: it runs on integers
  bool integer() const { return reason.empty(); }
};

struct IntegerForm {
  std::vector<IntegerDecision> nodes;  // those of the main graph that read or make codes
};

// True when the graph holds QuantizeLinear or DequantizeLinear.
bool has_quantized_values(const Graph& graph);

struct IntegerOptions {
  // Float values (results of DequantizeLinear) that somebody wants to look at: they stay although
  // no operator reads them.
  std::function<bool(std::string_view value)> keep = {};
  // Whether convolutions and MatMul take int8 activations, as ONNX Runtime's for ARM do. Its ones
  // for x86-64 do not: there int8 becomes uint8 where a value has a single reader, and stays in
  // float elsewhere.
  bool signed_activations = false;
};

// Rewrites the model in place.
IntegerForm fuse_integers(Model& model, const IntegerOptions& options = {});

}  // namespace intaglio
