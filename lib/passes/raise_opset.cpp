// raise_opset
//   Before: a model that imports an opset below options.min_opset, or below 17 although it holds a
//           LayerNormalization.
//   After:  the same model at max(min_opset, 13), or 17, its nodes rewritten by the rules of
//           opset_rules.h, nested graphs included; the IR version that goes with it. Training forms
//           of BatchNormalization and Dropout, which old exporters leave in, are taken as
//           inference, as all runtimes do.
//   Fails:  Code::unsupported where a node has no equivalent. Nothing is left in an old form
//           silently.

#include <fmt/format.h>

#include <algorithm>

#include "lib/passes/list.h"
#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

constexpr std::int64_t first_target = 13;

// The first IR version that came with an opset (onnx/docs/Versioning.md).
std::int64_t ir_of(std::int64_t opset) {
  return opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

bool raise(Node& node, std::int64_t from, std::int64_t to) {
  bool changed = false;
  for (const OpsetRule& rule : opset_rules()) {
    if (rule.since <= from || rule.since > to) continue;
    // Asked anew each time: a rule may turn Upsample into Resize, which has changed since, too.
    if (node.domain().empty() && (rule.op.empty() || rule.op == node.op()))
      changed |= rule.apply(node);
  }
  return changed;
}

// onnxruntime's optimizer writes LayerNormalization, and what expand_contrib makes one of, into
// models of any opset; the standard has it since 17.
std::int64_t least_opset(Model& model) {
  for (const Graph* graph : all_graphs(model))
    for (const Node* node : graph->nodes())
      if (node->is("LayerNormalization") || node->op() == "SkipLayerNormalization") return 17;
  return 1;
}

// The standard operators go by one of their two names from here on: with both in a file, there
// would be no import for one of them. Changes nothing for us.
void use_plain_domain(Model& model) {
  if (model.opset() > 0) model.set_opset("", model.opset());
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes())
      if (node->domain().empty()) node->set_op(node->op());
}

}  // namespace

int raise_opset(Model& model, const PrepareOptions& options) {
  if (options.min_opset > newest_opset)
    throw Error(Code::config,
                fmt::format("opset {}: models can be raised up to opset {}", options.min_opset,
                            newest_opset),
                "Ask for a lower opset.");
  use_plain_domain(model);
  const std::int64_t from = model.opset(), least = std::max(options.min_opset, least_opset(model));
  if (from >= least) return 0;
  const std::int64_t to = std::max(least, first_target);
  int rewrites = 1;  // the version itself
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes()) rewrites += raise(*node, from, to);
  model.set_opset("", to);
  model.set_ir_version(std::max(model.ir_version(), ir_of(to)));
  return rewrites;
}

}  // namespace intaglio
