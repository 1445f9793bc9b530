// Why a node cannot be quantized for a target, whatever its neighbours are.
#pragma once

#include <optional>
#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/target.h"

namespace intaglio {

inline bool is_f32(const Value* value) { return value != nullptr && value->dtype() == DType::f32; }

// Whether the rule's left_float holds: it does unless results must leave the graph as codes.
bool leaves_rule(const Node& node, const OpRule& rule);

// nullopt: it can.
std::optional<std::string> obstacle_of(const Node& node, const Target& target);

}  // namespace intaglio
