// Gates: y = x * Sigmoid(x), as exporters write Swish (SiLU).
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// The Mul that weighs x by Sigmoid(x), from the Sigmoid; null: it is no gate. A layer makes x, and
// the Mul alone reads what the Sigmoid makes. When x comes scaled by channel, so does y, provided
// that the Sigmoid sees x as it was (channels.h).
const Node* gated_by(const Node& sigmoid);

// What the Mul weighs: x; null: it is not the Mul of a gate.
const Value* gated(const Node& mul);

// The least value of Swish, at -1.278: what lies below 0 is all but lost behind a gate.
inline constexpr float least_gated = -0.2785f;

}  // namespace intaglio
