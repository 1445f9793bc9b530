// Activations that the codes behind them imply.
//
// Before:  Conv -> Relu -> QuantizeLinear (scale, zero point of the lowest code)
// After:   Conv -> QuantizeLinear
//
// Where values beyond the bounds of a Relu or Clip saturate to the codes of the bounds, the
// conversion does its work, to the bit. Compilers that take ranges from the pairs have an operator
// less to fuse, or to leave float where they cannot.
#pragma once

#include <map>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

// Returns, by name of the node (its first output where it has none), why it went.
std::map<std::string, std::string> drop_implied(Graph& graph);

}  // namespace intaglio
