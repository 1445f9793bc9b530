// Bounds that ONNX states in words and no schema checks: of attributes, and of the ranks of inputs.
// One table for each, in bounds.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lib/graph/library_types.h"

namespace intaglio {

// What is wrong with an attribute of the node or with an input, which is known as far as `inputs`
// say; nullopt: nothing.
std::optional<std::string> broken_bound(const Node& node, std::span<const ValueType> inputs);

// Whether ONNX has an element type of this number, be it one that this program computes with or not.
bool is_element_type(std::int64_t number);

}  // namespace intaglio
