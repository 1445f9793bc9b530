#include "lib/quant/draft.h"

#include <fmt/format.h>

#include "lib/quant/draft_decision.h"
#include "lib/quant/draft_revision.h"
#include "lib/quant/fusion.h"
#include "lib/quant/obstacle.h"
#include "lib/quant/weights.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

std::string producer_name(const Node& node) {
  return node.name().empty() ? node.op() : node.name();
}

// The plan of what has been decided.
class PlanWriter {
 public:
  PlanWriter(const DraftTask& task, DraftDecision& decision) : task_(task), decision_(decision) {}

  Plan run() {
    Plan plan;
    plan.target = task_.target.name;
    for (const Node* node : task_.nodes) plan.nodes.push_back(node_plan(*node));
    for (const Value* value : ordered_values()) {
      if (!decision_.has_codes(*value)) continue;
      ActivationPlan activation{
          value->name(), task_.target.activations, decision_.leader(value->name()), {}, {}, {}};
      activation.scheme.axis.reset();
      plan.activations.push_back(std::move(activation));
    }
    name_groups_after_first(plan);
    return plan;
  }

 private:
  Scheme operand_scheme() const {
    Scheme scheme = task_.target.activations;
    scheme.axis.reset();
    return scheme;
  }

  // A bias goes into the int32 accumulator when it is one constant per output channel.
  static bool bias_fits(const Node& node) {
    const Value* bias = node.input(2);
    if (!bias->is_constant() || !is_f32(bias)) return false;
    const Tensor& weight = node.input(1)->constant();
    const auto axis = static_cast<std::size_t>(*channel_axis(node));
    const std::int64_t groups = node.is("ConvTranspose") ? node.attr_int("group", 1) : 1;
    const Tensor& b = bias->constant();
    return b.size() == weight.dim(axis) * groups && b.rank() >= 1 && b.shape().back() == b.size();
  }

  void plan_weight(const Node& node, NodePlan& plan) const {
    for (std::size_t i = 0; i < 2; ++i) {
      const Value* value = node.input(i);
      if (!value->is_constant()) continue;
      // On the left stands what kernels take as data, constant or not.
      Scheme scheme = i == 0 ? operand_scheme() : task_.target.weights;
      if (i == 1 && task_.target.per_channel && task_.rule_of(node)->per_channel)
        scheme.axis = channel_axis(node);
      plan.constants.push_back({i, value->name(), scheme, {}, {}});
    }
    const Value* bias = node.input(2);
    if (bias == nullptr) return;
    if (task_.target.float_bias) {
      if (bias_fits(node)) plan.bias = BiasPlan{2, bias->name(), {DType::f32, {}, {}, {}}};
    } else if (bias_fits(node)) {
      plan.bias = BiasPlan{2, bias->name(), {}};
    } else {
      plan.reason =
          "its bias stays float: it is no constant vector with one value per output channel";
    }
  }

  NodePlan node_plan(const Node& node) {
    NodePlan plan{node.name(), node.op(), first_output(node) ? first_output(node)->name() : "",
                  false,       "",        {},
                  {}};
    if (!decision_.accepts(node)) {
      plan.reason = decision_.reason(node);
      return plan;
    }
    plan.quantized = true;
    const Role role = task_.rule_of(node)->role;
    if (const Node* producer = role == Role::activation ? decision_.fusion_of(node) : nullptr)
      plan.reason = fmt::format("fused into {}", producer_name(*producer));
    if (role == Role::weights) plan.reason = "weights alone: it computes on floats";
    if (decision_.shares_table(node)) {
      plan.constants.push_back({0,
                                node.input(0)->name(),
                                operand_scheme(),
                                {},
                                decision_.leader(node.output(0)->name())});
    } else if (is_table(node) || role == Role::weights) {
      for (const WeightInput& weight : weight_inputs(node)) {
        Scheme scheme = task_.target.weights;
        scheme.axis = task_.target.per_channel ? weight.axis : std::nullopt;
        plan.constants.push_back({weight.input, node.input(weight.input)->name(), scheme, {}, {}});
      }
    } else if (role == Role::compute) {
      const Node* activation = decision_.activation_of(node);
      if (activation != nullptr && fused_in_float(node, *activation, task_.target))
        plan.reason =
            fmt::format("computes in float with {}: few products a result", activation->op());
      plan_weight(node, plan);
    } else if (role == Role::elementwise || role == Role::join) {
      for (std::size_t i = 0; i < node.inputs().size(); ++i)
        if (is_f32(node.input(i)) && node.input(i)->is_constant())
          plan.constants.push_back(
              {i,
               node.input(i)->name(),
               operand_scheme(),
               {},
               role == Role::join ? decision_.leader(node.output(0)->name()) : ""});
    }
    return plan;
  }

  std::vector<const Value*> ordered_values() const {
    std::vector<const Value*> values(task_.graph.inputs().begin(), task_.graph.inputs().end());
    for (const Node* node : task_.nodes)
      for (const Value* output : node->outputs())
        if (output != nullptr) values.push_back(output);
    return values;
  }

  const DraftTask& task_;
  DraftDecision& decision_;
};

}  // namespace

Plan draft(const Graph& graph, const Target& target, const Selection& selection) {
  DraftTask task(graph, target, selection);
  DraftDecision decision(task);
  while (DraftRevision(task, decision).run()) decision = DraftDecision(task);
  Plan plan = PlanWriter(task, decision).run();
  raise(plan, graph, target, selection.raised);
  return plan;
}

}  // namespace intaglio
