#include "lib/quant/target_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/quant/array.h"
#include "lib/quant/saturation.h"
#include "lib/quant/shared_weights.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

void note_once(ActivationPlan& activation, const char* note) {
  if (std::find(activation.notes.begin(), activation.notes.end(), note) == activation.notes.end())
    activation.notes.emplace_back(note);
}

class Rules {
 public:
  Rules(Plan& plan, const Graph& graph, const Target& target)
      : plan_(plan), graph_(graph), target_(target) {}

  void run() {
    for (const NodePlan& node : plan_.nodes) {
      fix_output(node);
      widen_output(node);
    }
    if (target_.power_of_two)
      for (ActivationPlan& activation : plan_.activations) round_scale(activation);
    for (NodePlan& node : plan_.nodes)
      if (node.quantized) adjust(node);
    unite_shared_weights(plan_);
    for (NodePlan& node : plan_.nodes)
      if (node.has_integer_bias()) renew_bias(node, node_of(node));
  }

 private:
  const Node& node_of(const NodePlan& plan) const { return *graph_.find(plan.output)->producer(); }

  // Calls f with the result of a quantized node and all values that share its parameters, with the
  // rule of its operator; constants that share them follow in adjust().
  template <typename F>
  void each_sharing_output(const NodePlan& node, F f) {
    const auto rule = target_.ops.find(node.op);
    const ActivationPlan* output = plan_.find(node.output);
    if (!node.quantized || rule == target_.ops.end() || output == nullptr) return;
    const std::string group = output->group;
    for (ActivationPlan& a : plan_.activations)
      if (a.group == group) f(a, rule->second);
  }

  void fix_output(const NodePlan& node) {
    each_sharing_output(node, [](ActivationPlan& a, const OpRule& rule) {
      if (!rule.fixed) return;
      a.params.scale = {rule.fixed->scale};
      a.params.zero_point = {rule.fixed->zero_point};
      a.range = representable(a.params, a.scheme);
      note_once(a, "the target fixes its scale");
    });
  }

  void widen_output(const NodePlan& node) {
    each_sharing_output(node, [](ActivationPlan& a, const OpRule& rule) {
      if (bits_of(a.params.type) > 8 || a.params.scale.front() >= rule.min_scale) return;
      enlarge_scale(a.params, a.scheme, a.range, rule.min_scale);
      note_once(a, "has the smallest scale that the target's kernel computes right");
    });
  }

  void round_scale(ActivationPlan& activation) {
    const float scale = next_power_of_two(activation.params.scale.front());
    if (scale == activation.params.scale.front()) return;
    enlarge_scale(activation.params, activation.scheme, activation.range, scale);
    note_once(activation, "its scale is a power of two");
  }

  void adjust(NodePlan& node) {
    const Node& in_graph = node_of(node);
    for (ConstantPlan& constant : node.constants) {
      if (!constant.group.empty()) {
        constant.params = plan_.find(constant.group)->params;
        continue;
      }
      if (target_.power_of_two)
        for (float& scale : constant.params.scale) scale = next_power_of_two(scale);
      if (target_.saturating && constant.input == 1) lower(constant, in_graph);
    }
  }

  void lower(ConstantPlan& constant, const Node& node) {
    const int raised = avoid_saturation(node, graph_.find(constant.name)->constant(),
                                        constant.scheme, constant.params);
    constant.raised += raised;
  }

  void renew_bias(NodePlan& node, const Node& in_graph) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    const ActivationPlan* input = plan_.find(in_graph.input(0)->name());
    node.bias->params =
        quantize_bias(bias, scale_read(node, *input), node.constants.front().params).params;
  }

  Plan& plan_;
  const Graph& graph_;
  const Target& target_;
};

}  // namespace

void apply_target_rules(Plan& plan, const Graph& graph, const Target& target) {
  Rules(plan, graph, target).run();
}

}  // namespace intaglio
