#include "apps/pipeline/analyze.h"

#include <fmt/format.h>

#include "apps/pipeline/decide.h"
#include "apps/pipeline/warnings.h"
#include "calibration/ranges/select.h"

namespace intaglio {
namespace {

Sensitivity measure(const AnalyzeSpec& o, const Session& session, const Decided& decided,
                    const SampleSet& set, Context& context) {
  Selection selection = o.quant.selection;
  selection.left_float = session.prepared.left_float;
  return context.phase("analyze", [&] {
    const SensitivityOptions options{
        .simulator = {.threads = context.worker_count(), .progress = context.progress("analyze")}};
    return measure_sensitivity(
        {session.prepared.model, decided.refined.model, decided.plan, session.target, selection},
        spread(set.samples(), o.samples), options);
  });
}

}  // namespace

void require_consistent(const AnalyzeSpec& o) {
  if (!o.quant.form.calibrated())
    throw Error(
        Code::usage,
        fmt::format("--format {} has no layers with ranges to analyze", o.quant.form.name()),
        "Analyze qdq or qoperator.");
}

AnalyzeResult analyze(const AnalyzeSpec& o, Context& context) {
  const Method method = parse_method(o.method);
  Target target = effective_target(o.quant);
  const RefineSteps steps = refine_steps(o.refine);
  require_consistent(o);
  AnalyzeResult result{
      .session = open_session(o.model, std::move(target), steps, o.quant, {}, context),
      .method = method,
      .observed = {},
      .refined = {},
      .sensitivity = {},
      .classes = false,
      .warnings = {}};
  Session& session = result.session;
  const Graph& graph = session.prepared.model.graph();
  require_something(session.plan);

  result.observed =
      observe(session, o.quant, o.data,
              {.histograms = method.traits.needs_histogram, .calibration = o.calibration}, context,
              result.warnings);
  const PreprocessRecipe recipe = make_recipe(o.data, session.prepared.model, result.warnings,
                                              result.observed.statistics.preprocess);
  const Decided decided = decide({session.prepared, session.target, o.quant, result.observed,
                                  o.data, o.data.data, recipe, steps},
                                 std::move(session.plan), method, context, result.warnings);
  const SampleSet set(o.data, o.data.data, recipe, session.prepared.model);
  const Executor executor(graph, CompileOptions::nothing_observed());
  result.classes = plan_metrics({}, executor, set.samples()).has(Metric::agreement);
  result.sensitivity = measure(o, session, decided, set, context);
  result.refined = decided.refined.summary;
  for (const std::string& warning : decided.plan.warnings) result.warnings.push_back(warning);
  result.warnings = distinct(std::move(result.warnings));
  return result;
}

}  // namespace intaglio
