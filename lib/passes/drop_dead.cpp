// drop_dead
//   Before: a node none of whose outputs is read or is a graph output; a constant that nothing
//           reads.
//   After:  gone. Graph inputs stay, read or not: they are the model's interface.
//   Goes backwards through the nodes, inner graphs first, so that whole chains go at once.

#include <algorithm>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool unread(const Value* value) {
  return value == nullptr || (value->uses().empty() && !value->is_output());
}

int sweep(Graph& graph) {
  int rewrites = 0;
  std::vector<Node*> nodes = graph.nodes();
  std::reverse(nodes.begin(), nodes.end());
  for (Node* node : nodes) {
    if (!std::all_of(node->outputs().begin(), node->outputs().end(), unread)) continue;
    graph.erase(*node);
    ++rewrites;
  }
  for (Value* value : graph.values()) {
    if (!unread(value) || value->producer() != nullptr || value->is_input()) continue;
    rewrites += value->is_constant();  // other values are what is left of a node
    graph.erase(*value);
  }
  return rewrites;
}

}  // namespace

int drop_dead(Model& model, const PrepareOptions&) {
  std::vector<Graph*> graphs = all_graphs(model);
  std::reverse(graphs.begin(), graphs.end());
  int rewrites = 0;
  for (Graph* graph : graphs) rewrites += sweep(*graph);
  return rewrites;
}

}  // namespace intaglio
