#include "lib/exec/nested.h"

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {
namespace {

// Adds a value unless it belongs to a graph inside `outer`.
void note(const Value* value, const Graph& outer, std::vector<const Value*>& found) {
  if (value == nullptr || value->is_constant()) return;
  const Graph* graph = &outer;
  while (graph != nullptr && graph != &value->graph()) graph = graph->outer();
  if (graph != nullptr && std::find(found.begin(), found.end(), value) == found.end())
    found.push_back(value);
}

void collect(const Graph& graph, const Graph& outer, std::vector<const Value*>& found) {
  for (const Node* node : graph.nodes()) {
    for (const Value* value : node->inputs()) note(value, outer, found);
    for (const auto& [attr, nested] : node->nested_graphs()) collect(*nested, outer, found);
  }
  for (const Value* value : graph.outputs()) note(value, outer, found);
}

CompileOptions nested_options(const Node& node) {
  CompileOptions options;
  options.observed = [](const Value&) { return false; };
  options.captures = captures(node);
  return options;
}

}  // namespace

std::vector<const Value*> captures(const Node& node) {
  std::vector<const Value*> found;
  for (const auto& [attr, graph] : node.nested_graphs()) collect(*graph, node.graph(), found);
  return found;
}

NestedGraph::NestedGraph(const Node& node, std::string_view attr)
    : feeds_(node.attr_graph(attr).feeds()),
      executor_(node.attr_graph(attr), nested_options(node)) {}

std::vector<Tensor> NestedGraph::run(const KernelContext& context,
                                     std::vector<Tensor> inputs) const {
  if (inputs.size() != feeds_.size())
    throw Error(Code::model, fmt::format("the nested graph '{}' has {} inputs, the node gives {}",
                                         executor_.graph().name(), feeds_.size(), inputs.size()));
  for (std::size_t i = context.node().inputs().size(); i < context.input_count(); ++i)
    inputs.push_back(context.input(i));
  return executor_.run(inputs);
}

}  // namespace intaglio
