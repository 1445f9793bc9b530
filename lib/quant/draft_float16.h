// Which nodes of the float rest of a model compute in float16, and why the others do not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// Fills in NodePlan::precision of the nodes that compute on floats in the model to be written:
// those that are not quantized, or all when the form quantizes weights alone. A node stays float32
// when ONNX or the target has no float16 form of it, when it runs nested graphs, makes floats of
// something else, or has a constant beyond float16. The target must take float16. The graph must
// have its types inferred.
void draft_float16(Plan& plan, const Graph& graph, const Target& target, bool weights_alone);

inline bool computes_in_float16(const NodePlan& plan) {
  return plan.precision && plan.precision->type == DType::f16;
}

// The values that a node of the plan would hold in float16.
std::vector<const Value*> float16_values(const Graph& graph, const NodePlan& plan);

// Nodes with a value whose magnitude reaches more than half of float16's range (32752) stay float32
// too: what was seen on some samples leaves a factor of 2 for the others. reached: the largest
// finite magnitude of an activation by name; nullopt: never seen.
void keep_within_float16(Plan& plan, const Graph& graph,
                         const std::function<std::optional<float>(std::string_view)>& reached);

}  // namespace intaglio
