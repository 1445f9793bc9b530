#include "lib/quant/draft_decision.h"

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/graph/ops.h"
#include "lib/quant/fusion.h"
#include "lib/quant/obstacle.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

// A mover that changes values on its way (a constant that Pad puts in, a cubic Resize that
// overshoots) has a range of its own.
bool moves_only(const Node& node) {
  const auto makes_values = traits_of(node).makes_values;
  return makes_values == nullptr || !makes_values(node);
}

}  // namespace

DraftTask::DraftTask(const Graph& drafted, const Target& wanted, const Selection& selection)
    : graph(drafted),
      target(wanted),
      nodes(drafted.nodes()),
      filter(nodes, selection),
      shares_tables(wanted.engine != Engine::pairs && selection.raised.empty()) {}

const OpRule* DraftTask::rule_of(const Node& node) const { return intaglio::rule_of(node, target); }

bool keeps_floats(const Node& node, const DraftTask& task) {
  const OpRule* rule = task.rule_of(node);
  return rule != nullptr && rule->role == Role::weights;
}

DraftDecision::DraftDecision(const DraftTask& task) : task_(&task) {
  for (const Node* node : task.nodes) consider(*node);
  for (const Node* node : task.nodes) share_table(*node);
  // A mover follows its input; its output may in turn feed another mover, in any order of listing.
  for (bool changed = true; changed;) {
    changed = false;
    for (const Node* node : task.nodes) changed |= follow(*node);
    for (const Node* node : task.nodes) changed |= lead(*node);
  }
}

std::optional<std::string> DraftDecision::obstacle(const Node& node) const {
  if (auto no = task_->filter.refuse(node)) return no;
  if (const auto it = task_->left_out.find(&node); it != task_->left_out.end()) return it->second;
  if (auto no = obstacle_around(node)) return no;
  return obstacle_of(node, task_->target);
}

// A composite is computed with its producer as a whole, or in float.
std::optional<std::string> DraftDecision::obstacle_around(const Node& node) const {
  const auto composite = fused_composite(node, task_->target);
  if (!composite) return std::nullopt;
  if (!accepts(*composite->x->producer())) return "the operator it is computed with stays float";
  for (const Node* part : composite->nodes)
    if (auto no = task_->filter.refuse(*part)) return no;
  return std::nullopt;
}

bool DraftDecision::takes_codes(const Node& node) const {
  return accepts(node) && !keeps_floats(node, *task_);
}

const Node* DraftDecision::fusion_of(const Node& node) const {
  const Node* producer = fused_producer(node, task_->target);
  return producer != nullptr && accepted_.contains(producer) ? producer : nullptr;
}

const Node* DraftDecision::activation_of(const Node& node) const {
  const Node* activation = fused_activation(node, task_->target);
  return activation != nullptr && !obstacle(*activation) ? activation : nullptr;
}

bool DraftDecision::only_leaves(const Value& value) const {
  return (value.is_output() || !value.uses().empty()) &&
         std::all_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
           const OpRule* rule = rule_of(*use.node);
           if (rule == nullptr || keeps_floats(*use.node, *task_) || obstacle(*use.node))
             return true;
           return rule->role == Role::share && use.index == 0 && use.node->output(0) != nullptr &&
                  only_leaves(*use.node->output(0));
         });
}

bool DraftDecision::leaves_in_float(const Node& node) const {
  return rule_of(node)->float_output &&
         std::all_of(node.outputs().begin(), node.outputs().end(),
                     [&](const Value* value) { return value == nullptr || only_leaves(*value); });
}

// Whether all that read the value take its codes, moved about or not. Shape and Size only look.
bool DraftDecision::only_taken_as_codes(const Value& value) const {
  bool taken = false;
  for (const Use& use : value.uses()) {
    if (is_any(*use.node, {"Shape", "Size"})) continue;
    if (!takes_as_codes(use, value)) return false;
    taken = true;
  }
  return taken && !value.is_output();
}

bool DraftDecision::takes_as_codes(const Use& use, const Value& value) const {
  const OpRule* rule = rule_of(*use.node);
  if (rule == nullptr || rule->role != Role::share || !moves_only(*use.node))
    return takes_codes(*use.node) && quantized_.contains(&value);
  const auto goes_on = [&](const Value* made) {
    return made == nullptr || (made->uses().empty() && !made->is_output()) ||
           only_taken_as_codes(*made);
  };
  return use.index == 0 && !obstacle(*use.node) &&
         std::ranges::all_of(use.node->outputs(), goes_on);
}

// Rows of a table that are quantized as soon as they are found have the codes of that in the
// table already: dequantizing them by column would take a runtime longer than the float rows do.
void DraftDecision::share_table(const Node& node) {
  if (!task_->shares_tables || !accepted_.contains(&node) || !is_table(node) ||
      !only_taken_as_codes(*node.output(0)))
    return;
  quantize_value(node.output(0));
  shared_tables_.insert(&node);
}

void DraftDecision::quantize_value(const Value* value) {
  if (is_f32(value) && !value->is_constant()) quantized_.insert(value);
}

void DraftDecision::quantize_output(const Node& node) {
  if (activation_of(node) != nullptr) return;
  if (!leaves_in_float(node)) quantize_value(node.output(0));
}

void DraftDecision::consider(const Node& node) {
  if (const auto reason = obstacle(node)) return refuse(node, *reason);
  const OpRule& rule = *rule_of(node);
  if (is_table(node) || rule.role == Role::weights) {
    accepted_.insert(&node);
    return;
  }
  if (rule.role == Role::share) {
    if (moves_only(node))
      return refuse(node, "its input is not quantized");  // until follow() finds it is
  }
  accepted_.insert(&node);
  if (const Node* producer = rule.role == Role::activation ? fusion_of(node) : nullptr) {
    if (activation_of(*producer) == &node) quantize_output(node);
    return;
  }
  const std::size_t data_inputs = rule.role == Role::compute ? (node.is("MatMul") ? 2 : 1)
                                  : rule.role == Role::share || rule.role == Role::activation
                                      ? 1
                                      : node.inputs().size();
  for (std::size_t i = 0; i < data_inputs; ++i) quantize_value(node.input(i));
  quantize_output(node);
  if (rule.role == Role::join)
    for (const Value* input : node.inputs())
      if (quantized_.contains(input) && quantized_.contains(node.output(0)))
        groups_.tie(input->name(), node.output(0)->name());
}

// A graph input, moved about or not.
bool DraftDecision::comes_from_feed(const Value& value) const {
  if (value.is_feed()) return true;
  const Node* node = value.producer();
  const OpRule* rule = node != nullptr ? rule_of(*node) : nullptr;
  return rule != nullptr && rule->role == Role::share && moves_only(*node) && !obstacle(*node) &&
         node->input(0) != nullptr && comes_from_feed(*node->input(0));
}

// What only moves a graph input moves its codes, where all that reads them takes codes: an image is
// sliced or transposed in 8 bits, and the input can be one of codes.
bool DraftDecision::lead(const Node& node) {
  const OpRule* rule = rule_of(node);
  const Value* input = node.input(0);
  if (rule == nullptr || rule->role != Role::share || accepted_.contains(&node) || obstacle(node) ||
      !moves_only(node) || !is_f32(input) || !comes_from_feed(*input) ||
      !only_taken_as_codes(*input))
    return false;
  reasons_.erase(&node);
  accepted_.insert(&node);
  quantize_value(input);
  for (const Value* output : node.outputs())
    if (is_f32(output)) groups_.tie(input->name(), output->name());
  return true;
}

bool DraftDecision::follow(const Node& node) {
  const OpRule* rule = rule_of(node);
  if (rule == nullptr || rule->role != Role::share || accepted_.contains(&node) || obstacle(node) ||
      !quantized_.contains(node.input(0)))
    return false;
  reasons_.erase(&node);
  accepted_.insert(&node);
  for (const Value* output : node.outputs()) {
    if (!is_f32(output)) continue;
    quantize_value(output);
    groups_.tie(node.input(0)->name(), output->name());
  }
  return true;
}

}  // namespace intaglio
