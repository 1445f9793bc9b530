// fuse_qdq: what is left to do when all clusters are taken.

#include <algorithm>

#include "lib/exec/registry.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {

// Backwards, so that whole chains go at once.
void drop_unread(Graph& graph, const std::function<bool(std::string_view)>& keep) {
  const auto unread = [&](const Value* v) {
    return v == nullptr || (v->uses().empty() && !v->is_output() && !(keep && keep(v->name())));
  };
  std::vector<Node*> nodes = graph.nodes();
  std::reverse(nodes.begin(), nodes.end());
  for (Node* node : nodes)
    if (std::all_of(node->outputs().begin(), node->outputs().end(), unread)) graph.erase(*node);
  for (Value* value : graph.values())
    if (value->uses().empty() && !value->is_output() && !value->is_input() &&
        value->producer() == nullptr)
      graph.erase(*value);
}

void fold_dequantized_constants(Graph& graph) {
  for (Node* node : graph.nodes()) {
    const auto constant = [](const Value* v) { return v == nullptr || v->is_constant(); };
    if (!node->is("DequantizeLinear") || node->output(0) == nullptr ||
        node->output(0)->is_output() ||
        !std::all_of(node->inputs().begin(), node->inputs().end(), constant))
      continue;
    std::vector<const Tensor*> inputs;
    for (const Value* v : node->inputs()) inputs.push_back(v ? &v->constant() : nullptr);
    std::vector<Tensor> outputs(1);
    KernelContext context(*node, inputs, outputs);
    default_registry().select(*node).make(*node)->run(context);
    Value& value = *node->output(0);
    graph.erase(*node);
    value.set_constant(std::move(outputs.front()));
  }
}

}  // namespace intaglio
