#include "lib/exec/infer.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

void collect(Graph& graph, std::vector<Graph*>& list) {
  list.push_back(&graph);
  for (Node* node : graph.nodes())
    for (const auto& [attr, nested] : node->nested_graphs()) collect(*nested, list);
}

}  // namespace

std::span<const Pass> preparation_passes() { return passes; }

std::vector<Graph*> all_graphs(Model& model) {
  std::vector<Graph*> list;
  collect(model.graph(), list);
  return list;
}

// Rounds, because one fold can enable another (Conv, BatchNormalization, Mul, Add; a Shape that is
// known once a Reshape is). Every rewrite removes something that no pass brings back, so the rounds
// end, and the last one, which changes nothing, begins with the inference of the final types.
std::vector<PassCount> prepare(Model& model, const PrepareOptions& options,
                               const std::function<void(std::string_view pass)>& after) {
  std::vector<PassCount> counts;
  for (const Pass& pass : passes) counts.push_back({pass.name, 0});
  for (bool changed = true; changed;) {
    changed = false;
    infer_types(model);
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const int rewrites = passes[i].run(model, options);
      model.graph().verify();
      if (after && rewrites > 0) after(passes[i].name);
      counts[i].rewrites += rewrites;
      changed |= rewrites > 0;
    }
  }
  return counts;
}

std::vector<PassCount> prepare_weights(Model& model, const PrepareOptions& options) {
  infer_types(model);
  std::vector<PassCount> counts = {
      {"default_inputs", fix_default_inputs(model, options)},
      {"constants_folded", fold_constants(model, {.constant_nodes_alone = true})}};
  if (model.opset() < options.min_opset)
    counts.push_back({"opset_raised", raise_opset(model, options)});
  model.graph().verify();
  infer_types(model);
  return counts;
}

}  // namespace intaglio
