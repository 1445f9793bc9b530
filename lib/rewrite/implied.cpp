#include "lib/rewrite/implied.h"

#include "lib/passes/qdq/cluster.h"

namespace intaglio {

std::map<std::string, std::string> drop_implied(Graph& graph) {
  std::map<std::string, std::string> dropped;
  for (Node* node : graph.nodes()) {
    if (!is_implied(*node)) continue;
    Value &x = *node->input(0), &made = *node->output(0);
    dropped[node->name().empty() ? made.name() : node->name()] =
        "the codes behind it saturate at its bounds, so it is not written";
    graph.replace_uses(made, x);
    graph.erase(*node);
    graph.erase(made);
  }
  return dropped;
}

}  // namespace intaglio
