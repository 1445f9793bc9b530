#include "lib/graph/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace intaglio {
namespace {

using Links = std::unordered_map<const Value*, std::size_t>;  // how often each value is read

bool sees(const Graph& from, const Value& value) {
  const Graph* graph = &from;
  while (graph != nullptr && graph != &value.graph()) graph = graph->outer();
  return graph != nullptr;
}

// Checks what each node and output says, and counts how often each value is read.
void verify(const Graph& graph, Links& links) {
  const auto defined = [](const Value& value) {
    return value.producer() != nullptr || value.is_constant() || value.is_input();
  };
  for (const Node* node : graph.listed()) {
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* value = node->inputs()[i];
      if (value == nullptr) continue;
      if (!sees(graph, *value))
        broken(fmt::format("{} reads '{}' of a graph that it is not in", node->label(),
                           value->name()));
      if (!defined(*value))
        broken(fmt::format("{} reads '{}', which nothing makes", node->label(), value->name()));
      const bool linked =
          std::any_of(value->uses().begin(), value->uses().end(),
                      [&](const Use& use) { return use.node == node && use.index == i; });
      if (!linked) broken(fmt::format("{}: input {} is not linked back", node->label(), i));
      ++links[value];
    }
    for (const Value* value : node->outputs())
      if (value != nullptr && value->producer() != node)
        broken(fmt::format("{}: output '{}' has another producer", node->label(), value->name()));
    for (const auto& [attr, nested] : node->nested_graphs()) verify(*nested, links);
  }
  for (const Value* value : graph.outputs())
    if (!defined(*value)) broken(fmt::format("nothing makes the graph output '{}'", value->name()));
  // All nodes that can read a value of this graph were met above; a use beyond theirs is a stale
  // one.
  for (const Value* value : graph.values()) {
    if (value->uses().size() != links[value])
      broken(fmt::format("'{}' has a use that no node knows of", value->name()));
    if (graph.find(value->name()) != value)
      broken(fmt::format("'{}' is there twice", value->name()));
  }
  graph.nodes();  // throws on a cycle
}

}  // namespace

void broken(const std::string& what) {
  throw Error(Code::internal, "graph edit: " + what, "Please report this with the model.");
}

void verify_links(const Graph& graph) {
  Links links;
  verify(graph, links);
}

}  // namespace intaglio
