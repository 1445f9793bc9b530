// Graph inputs and outputs in half precision: preparation widens them with the rest of the model,
// and who calls the result feeds and reads the types that the model always had.
#pragma once

#include <map>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

using HalfInterface = std::map<std::string, DType>;  // graph inputs and outputs, by name

// Those of a model as it was given.
HalfInterface half_interface(const Graph& graph);

// Gives those that are float32 now their types back, with a Cast behind each input and before each
// output. Casts of nodes that compute in the same type (write_float16) join with them. Values that
// hold codes stay as they are.
void restore_half_interface(Graph& graph, const HalfInterface& interface);

}  // namespace intaglio
