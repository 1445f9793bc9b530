// Bounds that ONNX states in words and no schema checks: of attributes, and of the ranks of inputs.
// One table for each, in bounds.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "lib/graph/library_types.h"

namespace intaglio {

// What is wrong with an attribute of the node or with an input, which is known as far as `inputs`
// say; nullopt: nothing.
std::optional<std::string> broken_bound(const Node& node, std::span<const ValueType> inputs);

}  // namespace intaglio
