#include "apps/pipeline/execution.h"

#include <algorithm>

#include "lib/base/log.h"
#include "lib/exec/infer.h"
#include "lib/passes/pass.h"
#include "lib/passes/widen_halves.h"

namespace intaglio {

void prepare_to_run(Model& model) {
  if (has_quantized_values(model.graph())) return;
  Model prepared = model.clone();
  try {
    prepare(prepared);
  } catch (const Error& e) {
    if (e.code() != Code::unsupported) throw;
    log::info("runs as it is, unprepared: {}", e.what());
    return;
  }
  model = std::move(prepared);
}

namespace {

bool quantizes_while_it_runs(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(),
                             [](const Node* node) { return node->is("DynamicQuantizeLinear"); });
}

}  // namespace

Execution::Execution(const Model& model, Arithmetic exact,
                     const std::function<bool(std::string_view)>& keep,
                     const std::function<void(Graph&)>& finish)
    : model_(model), quantized_(has_quantized_values(model.graph())) {
  integer_ = quantized_ && exact == Arithmetic::integer;
  const bool halves = has_halves(model.graph());
  if (quantized_ || halves || finish) copy_ = model.clone();
  if (integer_) form_ = fuse_integers(*copy_, {.keep = keep, .blocks = true});
  // Codes hang on the last bit of what is quantized while the model runs, too.
  ordered_ = quantized_ && (!integer_ || quantizes_while_it_runs(copy_->graph()));
  if (halves || ordered_) infer_types(*copy_);
  if (halves) widen_halves(copy_->graph(), /*round=*/exact == Arithmetic::floating);
  if (finish) finish(copy_->graph());
}

CompileOptions Execution::options() const {
  CompileOptions options = CompileOptions::nothing_observed();
  if (ordered_) options.registry = &ordered_registry();
  return options;
}

std::optional<ExecutionSummary> Execution::summary() const {
  if (!quantized_) return std::nullopt;
  ExecutionSummary summary{.integer = integer_};
  for (const IntegerDecision& d : form_.nodes)
    if (!d.integer()) summary.float_nodes.push_back(d);
  summary.integer_nodes = form_.nodes.size() - summary.float_nodes.size();
  return summary;
}

}  // namespace intaglio
