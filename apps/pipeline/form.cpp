#include "apps/pipeline/form.h"

#include <fmt/format.h>

#include "lib/exec/infer.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/draft_float16.h"
#include "lib/quant/recurrent_cost.h"
#include "lib/quant/weights.h"
#include "lib/rewrite/dynamic.h"
#include "lib/rewrite/from_qdq.h"

namespace intaglio {
namespace {

// Results that would leave the graph in float have codes when the interface wants them.
Target with_integer_outputs(Target target) {
  for (auto& [op, rule] : target.ops) rule.float_output = false;
  return target;
}

// The plan of what is done: for the report alone.
Plan plan_of_quantized(const Graph& graph) {
  Plan plan;
  for (const Node* node : graph.nodes()) {
    if (first_output(*node) == nullptr || is_conversion(*node)) continue;
    const bool quantized = is_integer_operator(*node) || touches_codes(*node);
    plan.nodes.push_back({node->name(),
                          node->op(),
                          first_output(*node)->name(),
                          quantized,
                          quantized ? "" : "is not quantized in the model given",
                          {},
                          {}});
  }
  return plan;
}

void warn_of_recurrences(Plan& plan, const Graph& graph, const Target& target, bool contrib) {
  if (target.engine == Engine::pairs || is_float(target.weights.type)) return;
  for (const NodePlan& entry : plan.nodes) {
    if (!entry.quantized || entry.constants.empty()) continue;
    const Node& node = *graph.find(entry.output)->producer();
    if (!computes_in_float(node) || float_arithmetic(node, entry, contrib).empty()) continue;
    const std::string warning = warning_of_recurrence(node);
    if (!warning.empty()) plan.warnings.push_back(warning);
  }
}

}  // namespace

void require_consistent(const FormOptions& o, const ActivationOptions& activations) {
  const FormTraits& form = o.traits();
  const std::string name = o.name();
  if (o.contrib && !form.contrib)
    throw Error(Code::usage, fmt::format("--contrib: the form '{}' has no use for it", name),
                "Leave it out, or use --format qoperator or dynamic.");
  if (o.from_qdq && !form.codes)
    throw Error(Code::usage,
                fmt::format("--from-qdq: a quantized model does not become the form '{}'", name),
                "Use --format qdq or qoperator.");
  if (o.placement != Placement::speed && !form.pairs)
    throw Error(
        Code::usage,
        fmt::format("--placement {}: the form '{}' has no Q/DQ pairs", word_of(o.placement), name),
        "Leave it out, or use --format qdq.");
  if ((!form.codes || !form.interface) && o.io.any())
    throw Error(Code::usage,
                fmt::format("--io {}: the form '{}' has no codes of inputs and outputs",
                            text_of(o.io), name),
                "Leave it out, or use --format qdq or qoperator.");
  if (!form.codes && (activations.type || activations.symmetric))
    throw Error(
        Code::usage,
        fmt::format("--format {}: {}, so --activations and --symmetric have no effect", name,
                    form.at_run_time ? "activations are quantized to u8 as the model runs"
                                     : "activations stay float"),
        "Leave them out, or use --format qdq or qoperator.");
}

Target target_for(const FormOptions& o, Target target) {
  if (o.io.outputs != DType::undefined) target = with_integer_outputs(std::move(target));
  if (o.placement == Placement::accuracy) target = placed_for_accuracy(std::move(target));
  return def_of(o.form).target(std::move(target));
}

Plan draft_for(const FormOptions& o, const Graph& graph, const Target& target,
               const Selection& selection) {
  Plan plan =
      o.from_qdq ? plan_of_quantized(graph) : def_of(o.form).draft(graph, target, selection);
  warn_of_recurrences(plan, graph, target, o.contrib);
  const bool at_run_time = o.traits().at_run_time;
  if (at_run_time || (o.calibrated() && o.contrib))  // then an LSTM alone computes on codes
    for (NodePlan& node : plan.nodes)
      if (node.quantized && (at_run_time || node.op == "LSTM"))
        node.reason = float_arithmetic(*graph.find(node.output)->producer(), node, o.contrib);
  if (o.float16) {
    require_float16(target);
    draft_float16(plan, graph, target, o.traits().weights_alone());
  }
  return plan;
}

Redraft redraft_for(const FormOptions& options, const Target& target, const Selection& selection) {
  return [=](const Graph& graph, const std::map<std::string, std::string>& left_float) {
    Selection narrowed = selection;
    narrowed.left_float.insert(left_float.begin(), left_float.end());
    return draft_for(options, graph, target, narrowed);
  };
}

std::optional<Interface> write_interface(const FormOptions& o, Model& model) {
  if (!o.io.any()) return std::nullopt;
  return quantize_interface(model, o.io);
}

Written write_form(const FormOptions& o, Model& model, const Plan& plan, const Target& target) {
  if (!o.from_qdq)
    return def_of(o.form).write(model, plan,
                                {.contrib = o.contrib,
                                 .engine = target.engine,
                                 .float_results = target.float_results,
                                 .accuracy_level = o.accuracy_level.value_or(4),
                                 .drop_implied = target.drops_implied});
  Written written;
  for (const IntegerDecision& d : convert_quantized(model, o.form, o.contrib).decisions)
    if (!d.integer()) written.in_float[d.node] = d.reason;
  return written;
}

}  // namespace intaglio
