#include "calibration/refine/refine_layers.h"

namespace intaglio {

RefinedLayers refine_layers(const Model& model, Plan& plan, const Samples& samples,
                            const RefineLayersOptions& options) {
  Lockstep pair(model, plan, samples, options.pair);
  std::unordered_map<std::string, NodePlan*> nodes;
  for (NodePlan& n : plan.nodes) nodes[n.output] = &n;
  const auto plan_of = [&](std::size_t step) -> NodePlan* {
    const Value* made = pair.step(step).node->output(0);
    const auto it = made == nullptr ? nodes.end() : nodes.find(made->name());
    return it == nodes.end() ? nullptr : it->second;
  };
  RefinedLayers result;
  pair.run(
      [&](std::size_t s) {
        if (NodePlan* node = plan_of(s); node && options.rounding)
          round_weights(pair, s, *node, result.rounding);
      },
      [&](std::size_t s) {
        if (NodePlan* node = plan_of(s); node && options.bias)
          correct_bias(pair, s, *node, result.bias);
      });
  result.samples = pair.samples();
  return result;
}

}  // namespace intaglio
