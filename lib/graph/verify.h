// The invariants of a graph under edits.
#pragma once

#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

// An edit of ours broke the graph: throws Code::internal.
[[noreturn]] void broken(const std::string& what);

// See Graph::verify().
void verify_links(const Graph& graph);

}  // namespace intaglio
