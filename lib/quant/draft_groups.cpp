#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/quant/draft.h"
#include "lib/quant/filter.h"
#include "lib/quant/grouped_weight.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

class GroupDrafter {
 public:
  GroupDrafter(const Graph& graph, const Target& target, const Selection& selection,
               bool packed_tables)
      : target_(target),
        nodes_(graph.nodes()),
        filter_(nodes_, selection),
        types_(nodes_, selection),
        packed_tables_(packed_tables) {}

  Plan run() {
    Plan plan;
    plan.target = target_.name;
    for (const Node* node : nodes_) plan.nodes.push_back(node_plan(*node));
    if (narrowed_ > 0)
      plan.warnings.push_back(
          fmt::format("{} weights have fewer inputs than a group of {}: their groups are smaller",
                      narrowed_, target_.weights.group));
    if (!in_bytes_.empty())
      plan.warnings.push_back(
          fmt::format("{} products have 8 bits per channel in place of groups, such as '{}': {}",
                      in_bytes_count_, in_bytes_, why_bytes_));
    if (!widened_.empty())
      plan.warnings.push_back(fmt::format(
          "'{}' and others like it have 4 bits in place of 2: onnxruntime 1.31 computes something "
          "else from DequantizeLinear of 2 bits with a number of outputs that is no multiple of 4",
          widened_));
    return plan;
  }

 private:
  NodePlan node_plan(const Node& node) {
    NodePlan plan{node.name(), node.op(), first_output(node) ? first_output(node)->name() : "",
                  false,       "",        {},
                  {}};
    if (const auto reason = filter_.refuse(node)) {
      plan.reason = *reason;
      return plan;
    }
    const WeightKind kind = traits_of(node).weights;
    const std::optional<DType> type = types_.of(node);
    if (kind == WeightKind::none)
      plan.reason = "has no weights";
    else if (type == DType::undefined)
      plan.reason = "its weights are to stay float";
    else if (kind == WeightKind::product)
      product(node, type, plan);
    else if (kind == WeightKind::table && packed_tables_)
      table(node, type, plan);
    else
      bytes(node, plan);
    plan.quantized = !plan.constants.empty();
    if (!plan.quantized && plan.reason.empty())
      plan.reason = "its weights are no float32 constants";
    return plan;
  }

  void product(const Node& node, std::optional<DType> type, NodePlan& plan) {
    const GroupedWeight weight = grouped_weight(node);
    if (weight.constant == nullptr) {
      bytes(node, plan);
      if (plan.constants.empty()) plan.reason = weight.refusal;
      if (!plan.constants.empty() && (node.is("MatMul") || node.is("Gemm")))
        note_bytes(plan, weight.refusal);
      return;
    }
    DType wanted = type.value_or(target_.weights.type);
    const std::int64_t outputs =
        weight.constant->constant().dim(static_cast<std::size_t>(1 - weight.axis));
    if (!packed_tables_ && bits_of(wanted) == 2 && outputs % 4 != 0) {
      wanted = wanted == DType::u2 ? DType::u4 : DType::s4;
      if (widened_.empty()) widened_ = name_of_plan(plan);
    }
    add(weight, scheme_of(wanted), plan);
  }

  void table(const Node& node, std::optional<DType> type, NodePlan& plan) {
    const GroupedWeight weight = grouped_table(node);
    const bool large = weight.constant != nullptr &&
                       (is_table(node) || is_half(weight.constant->constant().dtype()));
    if (!large) {
      plan.reason = weight.constant == nullptr ? weight.refusal : "the table is small";
      return;
    }
    // Rows are made of whole groups, or the result would be longer than they are.
    Scheme scheme = scheme_of(type.value_or(DType::u8));
    const std::int64_t width = weight.constant->constant().dim(1);
    while (scheme.group >= least_group && width % scheme.group != 0) scheme.group /= 2;
    if (scheme.group >= least_group) return add(weight, scheme, plan);
    bytes(node, plan);
    if (plan.constants.empty())
      plan.reason = fmt::format("its rows of {} values are not made of whole groups", width);
  }

  Scheme scheme_of(DType type) const {
    Scheme scheme = target_.weights;
    scheme.type = type;
    scheme.symmetric = is_signed_code(type);
    return scheme;
  }

  void add(const GroupedWeight& weight, Scheme scheme, NodePlan& plan) {
    const std::int64_t inputs =
        weight.constant->constant().dim(static_cast<std::size_t>(weight.axis));
    const auto group = group_for(inputs, scheme.group);
    if (!group) {
      plan.reason = fmt::format("its weights have {} inputs, fewer than the least group of {}",
                                inputs, least_group);
      return;
    }
    narrowed_ += *group != scheme.group;
    scheme.group = *group;
    scheme.axis = weight.axis;
    plan.constants.push_back({weight.input, weight.constant->name(), scheme, {}, {}});
  }

  static const std::string& name_of_plan(const NodePlan& plan) {
    return plan.name.empty() ? plan.output : plan.name;
  }

  void note_bytes(const NodePlan& plan, const std::string& why) {
    if (in_bytes_count_++ > 0) return;
    in_bytes_ = name_of_plan(plan);
    why_bytes_ = why;
  }

  // 8 bits per channel: convolutions, recurrences, tables that are looked up as they are.
  void bytes(const Node& node, NodePlan& plan) const {
    for (const WeightInput& weight : weight_inputs(node))
      plan.constants.push_back({weight.input,
                                node.input(weight.input)->name(),
                                {DType::s8, true, false, weight.axis},
                                {},
                                {}});
  }

  const Target& target_;
  const std::vector<Node*> nodes_;
  const NodeFilter filter_;
  const WeightTypes types_;
  const bool packed_tables_;
  int narrowed_ = 0, in_bytes_count_ = 0;
  std::string in_bytes_, why_bytes_, widened_;  // examples
};

}  // namespace

Plan draft_groups(const Graph& graph, const Target& target, const Selection& selection,
                  bool packed_tables) {
  return GroupDrafter(graph, target, selection, packed_tables).run();
}

}  // namespace intaglio
