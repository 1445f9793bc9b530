#include "calibration/sensitivity/sensitivity.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "calibration/refine/dequantized_weights.h"
#include "lib/exec/profile.h"

namespace intaglio {
namespace {

constexpr const char* left_out = "left out of this variant";

// Products and sums by node, of the first sample that loads.
std::unordered_map<const Node*, double> macs_by_node(const Executor& executor,
                                                     const Samples& samples) {
  std::unordered_map<const Node*, double> macs;
  for (std::size_t i = 0; i < samples.count; ++i)
    if (const auto feeds = samples.load(i)) {
      Profile profile;
      executor.run(*feeds, {}, &profile);
      for (const StepProfile& step : profile.steps) macs[step.step->node] = step.flops / 2;
      break;
    }
  return macs;
}

class Measurement {
 public:
  Measurement(const QuantizedNetwork& network, const Samples& samples,
              const SensitivityOptions& options)
      : network_(network),
        samples_(samples),
        options_(options),
        graph_(network.reference.graph()),
        coded_(rounded_weights(network.refined, network.plan)),
        simulator_(graph_, coded_.graph()),
        numbers_(numbers_of(network.plan)),
        quantized_(simulator_.program(), network.plan, numbers_) {
    for (const NodePlan& node : network.plan.nodes) plans_[node.output] = &node;
  }

  Sensitivity run() {
    for (const QuantizedLayer& layer : quantized_layers(graph_, network_.plan, network_.target))
      result_.layers.push_back({.layer = layer, .weights = weights_of(*layer.node)});
    result_.values = tied_values(graph_, network_.plan, layers());
    if (options_.layers)
      for (LayerGroup& group : layer_groups(layers())) result_.groups.push_back({std::move(group)});
    count_macs();
    from_float();
    from_quantized();
    return std::move(result_);
  }

 private:
  std::vector<QuantizedLayer> layers() const {
    std::vector<QuantizedLayer> layers;
    for (const LayerSensitivity& l : result_.layers) layers.push_back(l.layer);
    return layers;
  }

  std::uint64_t weights_of(const Node& node) const {
    std::uint64_t count = 0;
    if (const NodePlan* plan = plan_of(node))
      for (const ConstantPlan& c : plan->constants)
        count += static_cast<std::uint64_t>(graph_.find(c.name)->constant().size());
    return count;
  }

  const NodePlan* plan_of(const Node& node) const {
    const Value* output = first_output(node);
    const auto it = output == nullptr ? plans_.end() : plans_.find(output->name());
    return it == plans_.end() ? nullptr : it->second;
  }

  void count_macs() {
    const auto macs = macs_by_node(simulator_.reference(), samples_);
    for (const auto& [node, count] : macs) result_.macs += count;
    for (LayerSensitivity& l : result_.layers)
      if (const auto it = macs.find(l.layer.node); it != macs.end()) l.macs = it->second;
  }

  Variant without(const std::vector<QuantizedLayer>& layers) const {
    const Selection selection = leaving_float(network_.selection, layers, left_out);
    const Plan plan = draft(graph_, network_.target, selection);
    return {simulator_.program(), plan, numbers_};
  }

  // Of a group: its layers, or all but them.
  std::vector<QuantizedLayer> chosen(const LayerGroup& group, bool in_it) const {
    std::vector<QuantizedLayer> chosen;
    for (std::size_t i = 0; i < result_.layers.size(); ++i)
      if (std::ranges::binary_search(group.layers, i) == in_it)
        chosen.push_back(result_.layers[i].layer);
    return chosen;
  }

  Variant only(const LayerGroup& group) const {
    const Variant drafted = without(chosen(group, false));
    const Program& program = simulator_.program();
    const bool alone = first_difference(program, Variant(program), drafted) < program.steps.size();
    return alone ? drafted : as_in_the_plan(chosen(group, true));
  }

  // For what no draft quantizes without its neighbours, as an Add.
  Variant as_in_the_plan(const std::vector<QuantizedLayer>& layers) const {
    const Program& program = simulator_.program();
    Variant variant(program);
    std::vector<const Node*> nodes;
    for (const QuantizedLayer& layer : layers)
      for (const Node* node : layer.nodes()) nodes.push_back(node);
    for (std::size_t s = 0; s < variant.codes.size(); ++s) {
      const Step& step = program.steps[s];
      if (!std::ranges::count(nodes, step.node)) continue;
      variant.codes[s] = true;
      for (std::size_t i = 0; i < step.inputs.size(); ++i)
        variant.read[s][i] = rounding_of(numbers_, program, step.inputs[i]);
      for (const int slot : step.outputs)
        if (slot >= 0)
          variant.made[static_cast<std::size_t>(slot)] = rounding_of(numbers_, program, slot);
    }
    return variant;
  }

  Variant weights_only(std::size_t layer) const {
    Variant variant(simulator_.program());
    for (std::size_t s = 0; s < variant.codes.size(); ++s)
      variant.codes[s] = simulator_.program().steps[s].node == result_.layers[layer].layer.node;
    return variant;
  }

  Variant values_only(const TiedValues& tied) const {
    Variant variant = quantized_;
    variant.codes.assign(variant.codes.size(), false);
    const auto filter = [&](const ActivationPlan*& plan) {
      if (plan != nullptr && !std::ranges::count(tied.values, plan->name)) plan = nullptr;
    };
    for (auto& inputs : variant.read) std::ranges::for_each(inputs, filter);
    std::ranges::for_each(variant.made, filter);
    return variant;
  }

  void from_float() {
    std::vector<Variant> variants = {quantized_};
    if (options_.layers)
      for (std::size_t i = 0; i < result_.layers.size(); ++i)
        variants.push_back(only({{}, {}, {i}}));
    for (const GroupSensitivity& g : result_.groups) variants.push_back(only(g.group));
    if (options_.parts) {
      for (std::size_t i = 0; i < result_.layers.size(); ++i) variants.push_back(weights_only(i));
      for (const TiedValues& tied : result_.values) variants.push_back(values_only(tied));
    }
    std::vector<Noise> noise =
        simulator_.measure(Variant(simulator_.program()), variants, samples_, options_.simulator);
    auto next = noise.begin() + 1;
    result_.quantized = std::move(*next++);
    if (options_.layers)
      for (LayerSensitivity& l : result_.layers) l.alone_quantized = std::move(*next++);
    for (GroupSensitivity& g : result_.groups) g.together_quantized = std::move(*next++);
    if (options_.parts) {
      for (LayerSensitivity& l : result_.layers) l.weights_alone = std::move(*next++);
      result_.values_alone.assign(std::make_move_iterator(next),
                                  std::make_move_iterator(noise.end()));
    }
  }

  void from_quantized() {
    if (!options_.layers) return;
    std::vector<Variant> variants;
    for (const LayerSensitivity& l : result_.layers) variants.push_back(without({l.layer}));
    for (const GroupSensitivity& g : result_.groups)
      variants.push_back(without(chosen(g.group, true)));
    std::vector<Noise> noise =
        simulator_.measure(quantized_, variants, samples_, options_.simulator);
    for (std::size_t i = 0; i < result_.layers.size(); ++i)
      result_.layers[i].alone_float = std::move(noise[1 + i]);
    for (std::size_t i = 0; i < result_.groups.size(); ++i)
      result_.groups[i].together_float = std::move(noise[1 + result_.layers.size() + i]);
  }

  const QuantizedNetwork& network_;
  const Samples& samples_;
  const SensitivityOptions& options_;
  const Graph& graph_;
  const Model coded_;
  const Simulator simulator_;
  const Numbers numbers_;
  const Variant quantized_;
  std::unordered_map<std::string_view, const NodePlan*> plans_;
  Sensitivity result_;
};

}  // namespace

Sensitivity measure_sensitivity(const QuantizedNetwork& network, const Samples& samples,
                                const SensitivityOptions& options) {
  return Measurement(network, samples, options).run();
}

std::vector<std::size_t> ranking(const Sensitivity& sensitivity) {
  std::vector<std::size_t> order(sensitivity.layers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto noise = [&](std::size_t i) {
    return sensitivity.layers[i].alone_quantized.relative();
  };
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return noise(a) > noise(b); });
  return order;
}

std::vector<std::size_t> group_ranking(const Sensitivity& sensitivity) {
  std::vector<std::size_t> order(sensitivity.groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto left = [&](std::size_t i) { return sensitivity.groups[i].together_float.relative(); };
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return left(a) < left(b); });
  return order;
}

}  // namespace intaglio
