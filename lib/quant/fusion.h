// Which operators a runtime computes together, so that no pair goes between them.
#pragma once

#include <optional>

#include "lib/graph/graph.h"
#include "lib/quant/composite.h"
#include "lib/quant/target.h"

namespace intaglio {

// The composite that the node is part of, where the target computes it with its producer; nullopt: it
// is part of none, or is computed by itself.
std::optional<Composite> fused_composite(const Node& node, const Target& target);

// What the target says of a node's operator; null: nothing, it is not one of the standard, or the
// rule is for other values of `mode`. Nodes of a composite that is computed with the producer before
// it are activations, whatever else the target says of them.
const OpRule* rule_of(const Node& node, const Target& target);

// The producer that an activation is computed with: it alone reads the producer's result, and
//  - the rule lists the producer in `fuses_into`; or
//  - it is a node of a composite activation (composite.h) whose producers the target lists; or
//  - the rule lists it in `float_into`, and it is a small product (rule `float_products`); then a
//    MaxPool may stand between the two.
// A Clip whose bounds lie on one side of 0 is fused into nothing where the range of codes must do
// what it does (onnxruntime). Null: none.
const Node* fused_producer(const Node& activation, const Target& target);

// The activation whose fused_producer() this node is; of a composite, its last node. Null: none.
const Node* fused_activation(const Node& node, const Target& target);

// Whether both then compute in float, for want of products that integers would make faster.
bool fused_in_float(const Node& producer, const Node& activation, const Target& target);

}  // namespace intaglio
