// The QDQ writer: a plan becomes QuantizeLinear - DequantizeLinear pairs.
//
// Before:  x -> Conv(w, b) -> Relu -> y
// After:   x -> Q -> DQ -> Conv(DQ(w_int8), DQ(b_int32)) -> Relu -> y -> Q -> DQ -> ...
//
// Runtimes match DQ -> operator (-> activation) -> Q and run it in integers; where the pairs stand
// decides whether they can. Weights and biases are stored as integers, one copy per use, so that a
// constant shared by nodes with different schemes is right for each; shared_constants.h joins those
// that are equal. A graph output keeps its name: the pair goes before it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lib/graph/model.h"
#include "lib/quant/array.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites the prepared model that the plan was drafted for. Returns, for each activation of the
// plan, the name of the value that holds what was dequantized. Throws Code::config when the plan
// does not fit the model, and when a type needs a newer opset than the model has.
struct QdqOptions {
  // Nodes that the plan leaves float are kept from rules that would run them on codes all the same
  // (float_kept.h), for targets that are onnxruntime.
  bool floats_kept = false;
  // What reads the result of a quantized node in float reads it as it was made (Target).
  bool float_results = false;
};
std::map<std::string, std::string> write_qdq(Model& model, const Plan& plan,
                                             const QdqOptions& options = {});

// The bias of a node that the plan quantizes, in integers; nullopt: it stays float. node: of a graph
// whose values have the names that the plan knows. Throws Code::config when the plan does not fit it.
std::optional<QuantizedBias> planned_bias(const Node& node, const NodePlan& entry,
                                          const Plan& plan);

}  // namespace intaglio
