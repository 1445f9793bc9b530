#include "calibration/sensitivity/layers.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "lib/quant/fusion.h"

namespace intaglio {
namespace {

std::unordered_set<const Node*> quantized_nodes(const Graph& graph, const Plan& plan) {
  std::unordered_set<const Node*> nodes;
  for (const NodePlan& node : plan.nodes)
    if (const Value* output = graph.find(node.output); node.quantized && output != nullptr)
      nodes.insert(output->producer());
  return nodes;
}

// The activation that has no pair before it.
const Node* fused_into(const Node& node, const Plan& plan, const Target& target,
                       const std::unordered_set<const Node*>& quantized) {
  const Node* activation = fused_activation(node, target);
  const bool fits = activation != nullptr && quantized.contains(activation) &&
                    plan.find(node.output(0)->name()) == nullptr;
  return fits ? activation : nullptr;
}

void name_outputs(const std::vector<QuantizedLayer>& layers, const std::string& reason,
                  std::map<std::string, std::string>& reasons) {
  for (const QuantizedLayer& layer : layers)
    for (const Node* node : layer.nodes())
      if (const Value* output = first_output(*node)) reasons.emplace(output->name(), reason);
}

}  // namespace

std::vector<const Node*> QuantizedLayer::nodes() const {
  return fused == nullptr ? std::vector{node} : std::vector{node, fused};
}

std::vector<QuantizedLayer> quantized_layers(const Graph& graph, const Plan& plan,
                                             const Target& target) {
  const auto quantized = quantized_nodes(graph, plan);
  std::vector<QuantizedLayer> layers;
  std::unordered_set<const Node*> fused;
  for (const Node* node : graph.nodes()) {
    const OpRule* rule = rule_of(*node, target);
    const bool moves = rule != nullptr && rule->role == Role::share;
    if (!quantized.contains(node) || fused.contains(node) || moves) continue;
    layers.push_back({node, fused_into(*node, plan, target, quantized)});
    fused.insert(layers.back().fused);
  }
  return layers;
}

std::vector<TiedValues> tied_values(const Graph& graph, const Plan& plan,
                                    const std::vector<QuantizedLayer>& layers) {
  std::unordered_map<const Node*, std::size_t> layer_of;
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const Node* node : layers[i].nodes()) layer_of[node] = i;
  const auto quantized = quantized_nodes(graph, plan);
  std::map<const Value*, std::size_t> group;  // of the values met so far
  std::vector<TiedValues> result;
  for (const ActivationPlan& activation : plan.activations) {
    const Value* value = graph.find(activation.name);
    const Node* maker = value->producer();
    const bool moved = maker != nullptr && !layer_of.contains(maker) && quantized.contains(maker) &&
                       group.contains(maker->input(0));
    const std::size_t at = moved ? group.at(maker->input(0)) : result.size();
    if (!moved) result.emplace_back();
    group[value] = at;
    TiedValues& tied = result[at];
    tied.values.push_back(activation.name);
    const auto touch = [&](const Node* node) {
      const auto it = layer_of.find(node);
      if (it != layer_of.end()) tied.layers.push_back(it->second);
    };
    touch(maker);
    for (const Use& use : value->uses()) touch(use.node);
  }
  for (TiedValues& tied : result) {
    std::sort(tied.layers.begin(), tied.layers.end());
    tied.layers.erase(std::unique(tied.layers.begin(), tied.layers.end()), tied.layers.end());
  }
  return result;
}

Selection leaving_float(Selection selection, const std::vector<QuantizedLayer>& layers,
                        const std::string& reason) {
  name_outputs(layers, reason, selection.left_float);
  return selection;
}

Selection raising(Selection selection, const std::vector<QuantizedLayer>& layers,
                  const std::string& reason) {
  name_outputs(layers, reason, selection.raised);
  return selection;
}

}  // namespace intaglio
