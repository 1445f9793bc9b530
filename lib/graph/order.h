// The order in which nodes run.
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// Every value is made before it is read; among the nodes that are ready, the one that was listed
// first goes first. Throws Code::model for a cycle.
std::vector<Node*> in_order(const Graph& graph);

}  // namespace intaglio
