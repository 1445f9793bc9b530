// The codes around a node against what a target accepts.
#pragma once

#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/target.h"

namespace intaglio {

struct Violation {
  std::string reason, remedy;  // both empty: there is none
  explicit operator bool() const { return !reason.empty(); }
};

// The first rule that the codes of a node break: types, zero points, granularity, kind of the bias,
// powers of two. For a node of a Q/DQ graph.
Violation scheme_violation(const Node& node, const Target& target);

// Whether the zero point of a conversion is 0, or left out.
bool zero_is_zero(const Node& conversion);

// Whether the node adds an int32 constant, as the bias of a MatMul before it is.
bool adds_bias(const Node& node, const Node& conversion);

}  // namespace intaglio
