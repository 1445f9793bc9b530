#include "apps/pipeline/form.h"

#include <fmt/format.h>

#include "lib/exec/infer.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/draft_float16.h"
#include "lib/quant/recurrent_cost.h"
#include "lib/quant/weights.h"
#include "lib/rewrite/dynamic.h"
#include "lib/rewrite/from_qdq.h"
#include "lib/rewrite/product_bias.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "lib/rewrite/weights.h"

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
  if (o.contrib && o.format != "qoperator" && o.format != "dynamic")
    throw Error(Code::usage, fmt::format("--contrib: the form '{}' has no use for it", o.format),
                "Leave it out, or use --format qoperator or dynamic.");
  if (o.from_qdq && !o.has_codes())
    throw Error(
        Code::usage,
        fmt::format("--from-qdq: a quantized model does not become the form '{}'", o.format),
        "Use --format qdq or qoperator.");
  if (o.placement == "accuracy" && o.format != "qdq")
    throw Error(Code::usage,
                fmt::format("--placement accuracy: the form '{}' has no Q/DQ pairs", o.format),
                "Leave it out, or use --format qdq.");
  if (!o.has_codes() && o.io != "float")
    throw Error(
        Code::usage,
        fmt::format("--io {}: the form '{}' has no codes of inputs and outputs", o.io, o.format),
        "Leave it out, or use --format qdq or qoperator.");
  if (!o.has_codes() && (!activations.type.empty() || activations.symmetric))
    throw Error(
        Code::usage,
        fmt::format("--format {}: {}, so --activations and --symmetric have no effect", o.format,
                    o.format == "dynamic" ? "activations are quantized to u8 as the model runs"
                                          : "activations stay float"),
        "Leave them out, or use --format qdq or qoperator.");
}

Target target_for(const FormOptions& o, Target target) {
  if (o.io != "float") target = with_integer_outputs(std::move(target));
  if (o.format == "qoperator") return qoperator_target(std::move(target));
  if (o.format == "dynamic") return dynamic_target(std::move(target));
  return o.placement == "accuracy" ? placed_for_accuracy(std::move(target)) : target;
}

Plan draft_for(const FormOptions& o, const Graph& graph, const Target& target,
               const Selection& selection) {
  Plan plan = o.from_qdq       ? plan_of_quantized(graph)
              : o.calibrated() ? draft(graph, target, selection)
                               : draft_weights(graph, target, selection);
  warn_of_recurrences(plan, graph, target, o.contrib);
  const bool lstm_on_codes = o.format == "qoperator" && o.contrib && !o.from_qdq;
  if (o.format == "dynamic" || lstm_on_codes)
    for (NodePlan& node : plan.nodes)
      if (node.quantized && (o.format == "dynamic" || node.op == "LSTM"))
        node.reason = float_arithmetic(*graph.find(node.output)->producer(), node, o.contrib);
  if (o.float16) {
    require_float16(target);
    draft_float16(plan, graph, target, o.format == "weights");
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
  if (o.io == "float") return std::nullopt;
  return quantize_interface(model, dtype_named(o.io));
}

Written write_form(const FormOptions& o, Model& model, const Plan& plan, Engine engine) {
  const bool floats_kept = engine != Engine::pairs;
  Written written;
  const auto note = [&](const std::vector<IntegerDecision>& decisions) {
    for (const IntegerDecision& d : decisions)
      if (!d.integer()) written.in_float[d.node] = d.reason;
  };
  if (o.from_qdq) {
    note(convert_quantized(model, o.format, o.contrib).decisions);
    return written;
  }
  if (o.format == "qdq") {
    written.dequantized = write_qdq(model, plan, floats_kept);
    if (floats_kept) {
      infer_types(model);
      keep_products_on_codes(model);
    }
    return written;
  }
  if (!o.calibrated()) {
    if (!plan.activations.empty())
      throw Error(Code::config,
                  fmt::format("--format {}: the plan quantizes activations", o.format),
                  "Use a plan that was made with this form.");
    o.format == "dynamic" ? write_dynamic(model, plan, o.contrib) : write_weights(model, plan);
    return written;
  }
  QOperatorResult result = write_qoperator(model, plan, o.contrib, floats_kept);
  written.codes = std::move(result.codes);
  note(result.decisions);
  return written;
}

}  // namespace intaglio
