#include "apps/pipeline/preview.h"

#include <numeric>

#include "apps/pipeline/doubts.h"
#include "apps/pipeline/ready.h"

namespace intaglio {

PreviewResult preview(const PreviewSpec& o, Context& context) {
  PreviewResult result;
  const LoadedModel given = load_ready(o.model, context);
  result.model = given.source;
  const MetricRequest request = request_of(o.metric, {}, !o.data.labels.empty());
  require_plannable(request, given.model.graph());
  const PreprocessRecipe recipe = make_recipe(o.data, given.model, result.warnings);
  const SampleSet set(o.data, o.data.data, recipe, given.model);
  tell_preprocess(set, given.model.graph(), context, result.warnings);
  const ReadyModel model(given.model, o.exact);
  const Evaluation evaluation = context.phase("run", [&] {
    EvaluateOptions options;
    options.threads = context.worker_count();
    options.answers = true;
    options.plan = plan_metrics(request, model.executor, set.samples());
    return evaluate(model.executor, nullptr, set.samples(), options);
  });
  std::vector<std::size_t> all(evaluation.answers.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  result.shown = show(
      evaluation, all, set.samples(),
      {nullptr, &model.executor, set.recipe(), true, names_for(o.data, given.model.metadata())});
  set.finish(result.warnings);
  for (std::string& warning : evaluation_warnings(evaluation))
    result.warnings.push_back(std::move(warning));
  result.data = set.summary(context.worker_count());
  return result;
}

}  // namespace intaglio
