#include "apps/pipeline/evaluate_model.h"

#include "apps/pipeline/evaluate.h"
#include "apps/pipeline/load.h"
#include "lib/rewrite/interface.h"

namespace intaglio {
namespace {

struct Loaded {
  Model model;
  SourceFile source;
};

Loaded load(const std::string& path, Context& context) {
  DataFiles data_files;
  Model model = context.phase("load", [&] { return load_runnable(path, &data_files); });
  keep_data_files(context.outputs, data_files);
  SourceFile source = source_file(path, model, data_files);
  return {std::move(model), std::move(source)};
}

void make_ready(Model& model) {
  restore_float_interface(model);
  prepare_to_run(model);
}

// A model on the executor.
struct Ready {
  Execution execution;
  Executor executor;
  Ready(const Model& model, Arithmetic exact)
      : execution(model, exact), executor(execution.graph(), execution.options()) {}
};

}  // namespace

void require_consistent(const EvaluateSpec& o) {
  o.gates.require_measurable(!o.data.labels.empty(), !o.reference.empty());
  if (o.data.labels.empty() && o.reference.empty())
    throw Error(Code::usage, "nothing to compare with",
                "Give --labels FILE.csv, --reference FP32.onnx, or both.");
}

EvaluateResult evaluate_model(const EvaluateSpec& o, Context& context) {
  require_consistent(o);
  const MetricRequest request =
      request_of(o.metric, o.gates.metrics(), !o.data.labels.empty(), !o.reference.empty());
  EvaluateResult result;
  Loaded given = load(o.model, context);
  std::optional<Loaded> reference;
  if (!o.reference.empty()) reference = load(o.reference, context);
  result.model = given.source;
  if (reference) result.reference = reference->source;
  context.phase("prepare", [&] {
    make_ready(given.model);
    if (reference) make_ready(reference->model);
  });
  require_plannable(request, reference ? reference->model.graph() : given.model.graph());

  const PreprocessRecipe recipe = make_recipe(o.data, given.model, result.warnings);
  const SampleSet set(o.data, o.data.data, recipe, given.model.graph());
  tell_preprocess(set, given.model.graph(), context, result.warnings);
  const Ready model(given.model, o.exact);
  std::optional<Ready> float_model;
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
  set.finish(result.warnings);
  for (std::string& warning : evaluation_warnings(result.evaluation))
    result.warnings.push_back(std::move(warning));
  result.data = set.summary(context.worker_count());
  result.execution = model.execution.summary();
  return result;
}

}  // namespace intaglio
