#include "lib/graph/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <unordered_map>

namespace intaglio {
namespace {

// Values of `around` that nested graphs return as they are: read, though by no node.
void find_returned(const Graph& graph, const Graph& around, std::vector<const Value*>& found) {
  for (const Value* output : graph.outputs())
    if (&output->graph() == &around && &graph != &around) found.push_back(output);
  for (const Node* node : graph.listed())
    for (const auto& [attr, nested] : node->nested_graphs()) find_returned(*nested, around, found);
}

// For each listed node, by position: the nodes that must come after it, once per value they
// read. A node reads what its nested graphs read.
std::vector<std::vector<std::size_t>> readers(const Graph& graph,
                                              const std::vector<Node*>& listed) {
  std::unordered_map<const Node*, std::size_t> position;
  for (std::size_t i = 0; i < listed.size(); ++i) position[listed[i]] = i;
  std::vector<std::vector<std::size_t>> result(listed.size());
  for (const Value* value : graph.values()) {
    if (value->producer() == nullptr) continue;
    for (const Use& use : value->uses()) {
      const Node* reader = use.node;
      while (&reader->graph() != &graph) reader = reader->graph().owner();
      result[position.at(value->producer())].push_back(position.at(reader));
    }
  }
  for (const Node* node : listed) {
    std::vector<const Value*> returned;
    for (const auto& [attr, nested] : node->nested_graphs())
      find_returned(*nested, graph, returned);
    for (const Value* value : returned)
      if (value->producer() != nullptr)
        result[position.at(value->producer())].push_back(position.at(node));
  }
  return result;
}

}  // namespace

// Kahn's algorithm.
std::vector<Node*> in_order(const Graph& graph) {
  const std::vector<Node*> listed = graph.listed();
  const auto after = readers(graph, listed);
  std::vector<std::size_t> waiting(listed.size(), 0);
  for (const auto& list : after)
    for (const std::size_t reader : list) ++waiting[reader];

  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < listed.size(); ++i)
    if (waiting[i] == 0) ready.push(i);
  std::vector<Node*> order;
  order.reserve(listed.size());
  while (!ready.empty()) {
    const std::size_t at = ready.top();
    ready.pop();
    order.push_back(listed[at]);
    for (const std::size_t reader : after[at])
      if (--waiting[reader] == 0) ready.push(reader);
  }
  if (order.size() != listed.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](auto w) { return w > 0; });
    throw Error(Code::model,
                fmt::format("the graph has a cycle through {}",
                            listed[static_cast<std::size_t>(stuck - waiting.begin())]->label()),
                "Export the model again: an ONNX graph must not have cycles.");
  }
  return order;
}

}  // namespace intaglio
