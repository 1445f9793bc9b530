// intaglio evaluate MODEL --data DIR: accuracy on labels, agreement with a float reference, or
// both.
#include <fmt/format.h>

#include <memory>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/evaluation_text.h"
#include "apps/execution.h"
#include "apps/gates.h"
#include "apps/metric_options.h"
#include "apps/prepared.h"
#include "apps/report.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/load.h"
#include "lib/rewrite/interface.h"

namespace intaglio {
namespace {

struct EvaluateCommand {
  std::string model, reference, report, exact = "integer";
  DataOptions data;
  bool json = false;
  MetricOptions metric;
  Gates gates;
};

void evaluate_command(const EvaluateCommand& o, Context& context) {
  o.gates.require_measurable(!o.data.labels.empty(), !o.reference.empty());
  for (const std::string& input : {o.model, o.reference}) require_outputs(input, {o.report});
  if (o.data.labels.empty() && o.reference.empty())
    throw Error(Code::usage, "nothing to compare with",
                "Give --labels FILE.csv, --reference FP32.onnx, or both.");
  const MetricRequest request =
      request_of(o.metric, o.gates.metrics(), !o.data.labels.empty(), !o.reference.empty());
  DataFiles data_files, of_reference;
  Model model = context.phase("load", [&] { return load_runnable(o.model, &data_files); });
  std::optional<Model> reference;
  if (!o.reference.empty())
    reference = context.phase("load", [&] { return load_runnable(o.reference, &of_reference); });
  const Json model_part = model_json(o.model, model, data_files);
  const Json reference_part =
      reference ? model_json(o.reference, *reference, of_reference) : Json();
  context.phase("prepare", [&] {
    for (Model* m : {&model, reference ? &*reference : nullptr}) {
      if (m == nullptr) continue;
      restore_float_interface(*m);
      prepare_to_run(*m);
    }
  });

  require_plannable(request, reference ? reference->graph() : model.graph());

  std::vector<std::string> warnings;
  const PreprocessRecipe recipe = make_recipe(o.data, model, warnings);
  const SampleSet set(o.data, o.data.data, recipe, model.graph());
  const Execution execution(model, o.exact);
  const Executor executor(execution.graph(), execution.options());
  std::optional<Execution> reference_execution;
  std::optional<Executor> reference_executor;
  if (reference) {
    reference_execution.emplace(*reference, o.exact);
    reference_executor.emplace(reference_execution->graph(), reference_execution->options());
  }
  EvaluateOptions options;
  options.threads = context.worker_count();
  options.progress = context.progress("evaluate");
  const Evaluation evaluation = context.phase("evaluate", [&] {
    options.plan =
        plan_metrics(request, reference_executor ? *reference_executor : executor, set.samples());
    return evaluate(executor, reference_executor ? &*reference_executor : nullptr, set.samples(),
                    options);
  });
  set.finish(warnings);
  for (std::string& warning : evaluation_warnings(evaluation))
    warnings.push_back(std::move(warning));
  for (const std::string& warning : warnings) log::warn("{}", warning);

  Json report = {{"schema", "intaglio.evaluation/1"},
                 {"command", "evaluate"},
                 {"tool", tool_json()},
                 {"model", model_part},
                 {"reference", reference_part},
                 {"data", set.json(context.worker_count())},
                 {"execution", execution.json()},
                 {"warnings", warnings},
                 {"evaluation", evaluation_json(evaluation)},
                 {"run", context.run_json(evaluation.samples, context.seconds_of("evaluate"))}};
  if (!o.report.empty()) write_file(o.report, to_text(report));
  if (o.json) {
    fmt::print("{}", to_text(report));
  } else {
    print_evaluation(o.reference, o.model, evaluation);
  }
  o.gates.check(evaluation);
}

}  // namespace

void add_evaluate(CLI::App& root, Context& context) {
  const auto o = std::make_shared<EvaluateCommand>();
  CLI::App* command =
      root.add_subcommand("evaluate", "Measure accuracy, or how near a model is to a float one");
  command->add_option("MODEL", o->model, "A float or quantized model")->required();
  add_data_options(*command, o->data, /*required=*/false);
  add_label_options(*command, o->data);
  command->add_option("--reference", o->reference, "The float model to compare with")
      ->type_name("FP32.onnx");
  add_exact_option(*command, o->exact);
  command->add_option("--report", o->report, "JSON report")->type_name("FILE");
  command->add_flag("--json", o->json, "Print the report on stdout instead of a table");
  add_metric_options(*command, o->metric);
  add_gate_options(*command, o->gates);
  command->footer(
      "Examples:\n"
      "  intaglio evaluate model.onnx --data val/ --labels val/labels.csv --preprocess imagenet\n"
      "  intaglio evaluate model.int8.onnx --reference model.onnx --data val/ --min-agreement 95\n"
      "  intaglio evaluate yolox.int8.onnx --reference yolox.onnx --data street/ --metric boxes "
      "--min-boxes-f1 0.95");
  command->callback(
      [o, &context] { context.action = [o, &context] { evaluate_command(*o, context); }; });
}

}  // namespace intaglio
