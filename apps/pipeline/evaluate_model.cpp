#include "apps/pipeline/evaluate_model.h"

#include <algorithm>

#include "apps/pipeline/evaluate.h"
#include "apps/pipeline/ready.h"
#include "apps/pipeline/warnings.h"

namespace intaglio {

void require_consistent(const EvaluateSpec& o) {
  o.gates.require_measurable(!o.data.labels.empty(), !o.reference.empty());
  const bool alone = std::ranges::any_of(
      o.metric.metrics, [](const std::string& name) { return def_of(parse_metric(name)).alone; });
  if (o.data.labels.empty() && o.reference.empty() && !alone)
    throw Error(Code::usage, "nothing to compare with",
                "Give --labels FILE.csv, --reference FP32.onnx, or both; of a language model "
                "--metric perplexity needs neither.");
}

EvaluateResult evaluate_model(const EvaluateSpec& o, Context& context) {
  require_consistent(o);
  const MetricRequest request =
      request_of(o.metric, o.gates.metrics(), !o.data.labels.empty(), !o.reference.empty());
  EvaluateResult result;
  result.warnings = o.gates.doubts();
  const LoadedModel given = load_ready(o.model, context);
  std::optional<LoadedModel> reference;
  if (!o.reference.empty()) reference = load_ready(o.reference, context);
  result.model = given.source;
  if (reference) result.reference = reference->source;
  require_plannable(request, reference ? reference->model.graph() : given.model.graph());

  const PreprocessRecipe recipe = make_recipe(o.data, given.model, result.warnings);
  const SampleSet set(o.data, o.data.data, recipe, given.model);
  tell_preprocess(set, given.model.graph(), context, result.warnings);
  const ReadyModel model(given.model, o.exact);
  std::optional<ReadyModel> float_model;
  if (reference) float_model.emplace(reference->model, o.exact);
  const Executor* compared = float_model ? &float_model->executor : nullptr;
  EvaluateOptions options;
  options.threads = context.worker_count();
  options.progress = context.progress("evaluate");
  options.answers = true;
  result.evaluation = context.phase("evaluate", [&] {
    options.plan =
        plan_metrics(request, compared != nullptr ? *compared : model.executor, set.samples());
    return evaluate(model.executor, compared, set.samples(), options);
  });
  if (o.pictures)
    result.shown = show_worst(result.evaluation, set.samples(),
                              {compared, &model.executor, set.recipe(), false,
                               names_for(o.data, given.model.metadata())});
  set.finish(result.warnings);
  for (std::string& warning : evaluation_warnings(result.evaluation))
    result.warnings.push_back(std::move(warning));
  result.warnings = distinct(std::move(result.warnings));
  result.data = set.summary(context.worker_count());
  result.execution = model.execution.summary();
  return result;
}

}  // namespace intaglio
