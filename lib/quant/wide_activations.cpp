#include "lib/quant/wide_activations.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "lib/quant/fusion.h"

namespace intaglio {
namespace {

constexpr std::int32_t finer = 256;  // steps of 16 bits in one of 8

class Raising {
 public:
  Raising(Plan& plan, const Graph& graph, const Target& target)
      : plan_(plan), graph_(graph), target_(target) {
    for (NodePlan& node : plan.nodes)
      if (node.quantized) plans_[graph.find(node.output)->producer()] = &node;
  }

  void run(const std::map<std::string, std::string>& nodes) {
    for (NodePlan& node : plan_.nodes)
      if (const auto it = nodes.find(node.output); node.quantized && it != nodes.end())
        mark(node, it->second);
    const std::set<std::string> wide = wide_groups();
    for (ActivationPlan& activation : plan_.activations)
      if (wide.contains(activation.group)) widen(activation.scheme);
    for (NodePlan& node : plan_.nodes) follow(node, wide);
  }

 private:
  static void mark(NodePlan& node, const std::string& why) {
    node.raised = true;
    node.reason = node.reason.empty() ? why : node.reason + "; " + why;
  }

  static void widen(Scheme& scheme) {
    scheme.type = raised_type(scheme.type);
    scheme.reduce_range = false;
  }

  const NodePlan* plan_of(const Node* node) const {
    const auto it = plans_.find(node);
    return it == plans_.end() ? nullptr : it->second;
  }

  bool is_raised(const Node* node) const {
    const NodePlan* plan = plan_of(node);
    return plan != nullptr && plan->raised;
  }

  // Movers have no say: they take what they move.
  bool keeps_narrow(const Node* node) const {
    const NodePlan* plan = plan_of(node);
    const OpRule* rule = plan != nullptr ? rule_of(*node, target_) : nullptr;
    return rule != nullptr && !plan->raised && rule->role != Role::share &&
           rule->role != Role::weights;
  }

  // Of activations that raised nodes make or read, and no node with 8 bits does.
  std::set<std::string> wide_groups() const {
    std::set<std::string> wide, narrow;
    for (const ActivationPlan& activation : plan_.activations) {
      const Value& value = *graph_.find(activation.name);
      const auto touch = [&](const Node* node) {
        if (is_raised(node)) wide.insert(activation.group);
        if (keeps_narrow(node)) narrow.insert(activation.group);
      };
      touch(value.producer());
      for (const Use& use : value.uses()) touch(use.node);
    }
    std::erase_if(wide, [&](const std::string& group) { return narrow.contains(group); });
    return wide;
  }

  // A mover of wide values; constants that stand beside activations.
  void follow(NodePlan& node, const std::set<std::string>& wide) const {
    if (!node.quantized) return;
    const Node& in_graph = *graph_.find(node.output)->producer();
    const OpRule& rule = *rule_of(in_graph, target_);
    const ActivationPlan* made = plan_.find(node.output);
    if (rule.role == Role::share && made != nullptr && is_wide(made->scheme.type))
      node.raised = true;
    for (ConstantPlan& constant : node.constants) {
      const bool own = rule.role == Role::elementwise && node.raised;
      if (own || wide.contains(constant.group)) widen(constant.scheme);
    }
  }

  Plan& plan_;
  const Graph& graph_;
  const Target& target_;
  std::unordered_map<const Node*, NodePlan*> plans_;  // of nodes on codes
};

}  // namespace

bool is_wide(DType type) { return type == DType::u16 || type == DType::s16; }

bool needs_wide_codes(const Plan& plan) {
  return std::ranges::any_of(plan.activations,
                             [](const ActivationPlan& a) { return is_wide(a.scheme.type); }) ||
         std::ranges::any_of(plan.nodes, [](const NodePlan& node) {
           return node.raised ||
                  std::ranges::any_of(node.constants, [](const ConstantPlan& constant) {
                    return is_wide(constant.scheme.type);
                  });
         });
}

DType raised_type(DType type) {
  return type == DType::u8 ? DType::u16 : type == DType::s8 ? DType::s16 : type;
}

QParams raised_params(const QParams& params) {
  if (is_wide(params.type)) return params;
  QParams raised = params;
  raised.type = raised_type(params.type);
  for (float& scale : raised.scale) scale /= finer;
  for (std::int32_t& zero : raised.zero_point) zero *= finer;
  return raised;
}

void raise(Plan& plan, const Graph& graph, const Target& target,
           const std::map<std::string, std::string>& nodes) {
  if (!nodes.empty()) Raising(plan, graph, target).run(nodes);
}

float scale_read(const NodePlan& node, const ActivationPlan& activation) {
  return (node.raised ? raised_params(activation.params) : activation.params).scale.front();
}

Target target_for_raising(Target target) {
  const DType type = raised_type(target.activations.type);
  if (std::ranges::count(target.accepts.activations, type) == 0)
    throw Error(
        Code::config,
        fmt::format("target '{}' does not take activations of type {}", target.name, name_of(type)),
        "Keep the layers float, or name a target that does (docs/targets.md).");
  target.opset = std::max(target.opset, wide_opset);
  return target;
}

}  // namespace intaglio
