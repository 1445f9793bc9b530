// ONNX's own inference of types and shapes, for one node.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

struct ValueType {
  DType dtype = DType::undefined;
  std::optional<Dims> dims = std::nullopt;
  Tensor constant = {};  // undefined: not known before the run
};

// What the library says of the outputs of a node, from what is known of its inputs, omitted ones
// included. Empty when it does not know the operator, or says nothing. Nodes with nested graphs are
// not asked about.
std::vector<ValueType> library_types(const Node& node, std::span<const ValueType> inputs);

}  // namespace intaglio
