// Whether a model is one at all: told before anything computes with it, by the operator schemas of
// ONNX (schema.h) and by bounds that no schema has (bounds.h).
//
// All functions throw Code::model with the node, its attribute or input, the value and the rule.
// Operators that neither ONNX nor com.microsoft has are data: nothing is known of them. Those of
// com.microsoft grow without a new version, so that inputs and attributes that are not known yet
// pass.
#pragma once

#include <span>

#include "lib/graph/library_types.h"
#include "lib/graph/model.h"

namespace intaglio {

// The version of the format and of the operator sets: between the first and the newest that is
// known; Code::unsupported for newer ones. And what the version of the format demands.
void require_known_versions(const Model& model);

// Every graph input says its type.
void require_typed_inputs(const Graph& graph);

// What a node shows by itself: how many inputs and outputs it has and which it leaves out, which
// attributes of which kind it has, and the bounds of their values. inputs: what is known of them,
// one each. Nodes of nested graphs included, by what the model says of their inputs but for shapes:
// a branch that is not taken need not fit. Code::unsupported for what bears the name of no operator
// of ONNX.
void require_valid(const Node& node, std::span<const ValueType> inputs);

}  // namespace intaglio
