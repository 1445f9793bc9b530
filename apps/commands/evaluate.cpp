// intaglio evaluate MODEL --data DIR: accuracy on labels, agreement with a float reference, or
// both.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/evaluation_text.h"
#include "apps/commands/print.h"
#include "apps/options/data.h"
#include "apps/options/exact.h"
#include "apps/options/gates.h"
#include "apps/options/group.h"
#include "apps/options/junit.h"
#include "apps/options/metrics.h"
#include "apps/pipeline/evaluate_model.h"
#include "apps/report/html/evaluation_page.h"
#include "apps/report/junit.h"
#include "apps/report/report.h"
#include "apps/report/samples.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct EvaluateCommand {
  EvaluateSpec spec;
  std::string report, samples, html, junit;
  bool json = false;
};

Json report_of(const std::vector<JudgedGate>& gates, const EvaluateResult& r,
               const Context& context) {
  return {{"schema", "intaglio.evaluation/1"},
          {"command", "evaluate"},
          {"tool", tool_json()},
          {"model", model_json(r.model)},
          {"reference", r.reference ? model_json(*r.reference) : Json()},
          {"data", data_json(r.data)},
          {"execution", execution_json(r.execution)},
          {"warnings", r.warnings},
          {"evaluation", evaluation_json(r.evaluation)},
          {"gates", gates_json(gates)},
          {"run", run_json(context, r.evaluation.samples, context.seconds_of("evaluate"))}};
}

TestSuite test_suite(const EvaluateSpec& spec, const std::vector<JudgedGate>& gates,
                     const EvaluateResult& result) {
  return {"intaglio evaluate",
          {{"model", spec.model},
           {"reference", spec.reference},
           {"samples", std::to_string(result.evaluation.samples)}},
          test_cases(gates)};
}

void evaluate_command(const EvaluateCommand& o, Context& context) {
  Outputs& outputs = context.outputs;
  require_samples_file(o.samples);
  require_gates(o.junit, o.spec.gates.any(),
                "Set one, such as --min-agreement 95, or leave --junit out.");
  outputs.declare("--report", o.report);
  outputs.declare("--samples", o.samples);
  outputs.declare("--html", o.html);
  outputs.declare("--junit", o.junit);
  outputs.keep("MODEL", o.spec.model);
  outputs.keep("--reference", o.spec.reference);
  keep_data(outputs, o.spec.data);
  outputs.require_writable();
  const EvaluateResult result = evaluate_model(o.spec, context);
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  const std::vector<JudgedGate> gates = o.spec.gates.judge(result.evaluation);
  const Json report = report_of(gates, result, context);
  outputs.write(o.report, to_text(report));
  if (!o.samples.empty()) outputs.write(o.samples, samples_file_text(result.evaluation, o.samples));
  if (!o.html.empty()) outputs.write(o.html, html::evaluation_page(report, result.shown));
  outputs.write(o.junit, junit_text(test_suite(o.spec, gates, result)));
  outputs.commit();
  if (o.json)
    put_out(to_text(report));
  else {
    print_evaluation(o.spec.reference, o.spec.model, result.evaluation, EvalSource::given);
    print_gates(gates);
  }
  require_held(gates,
               o.samples.empty() ? "See which samples lost most with --samples FILE.csv." : "");
}

}  // namespace

void add_evaluate(CLI::App& root, CommandLine& line) {
  const auto o = std::make_shared<EvaluateCommand>();
  CLI::App* command =
      root.add_subcommand("evaluate", "Measure accuracy, or how near a model is to a float one");
  command->add_option("MODEL", o->spec.model, "A float or quantized model")->required();
  add_data_options(*command, o->spec.data, /*required=*/false);
  add_label_options(*command, o->spec.data);
  add_name_options(*command, o->spec.data);
  begin_group(*command, group::comparison);
  command->add_option("--reference", o->spec.reference, "The float model to compare with")
      ->type_name("FP32.onnx");
  begin_group(*command, group::outputs);
  command->add_option("--report", o->report, "JSON report")->type_name("FILE");
  command
      ->add_option("--samples", o->samples,
                   "What both models say of every sample, worst first: .csv or .json")
      ->type_name("FILE");
  command->add_option("--html", o->html, "A page with pictures of the samples that lost most")
      ->type_name("FILE");
  command->add_flag("--json", o->json, "Print the report on stdout instead of a table");
  add_metric_options(*command, o->spec.metric);
  add_exact_option(*command, o->spec.exact);
  add_gate_options(*command, o->spec.gates);
  add_junit_option(*command, o->junit);
  command->footer(
      "Examples:\n"
      "  intaglio evaluate model.onnx --data val/ --labels val/labels.csv --preprocess imagenet\n"
      "  intaglio evaluate model.int8.onnx --reference model.onnx --data val/ --min-agreement 95\n"
      "  intaglio evaluate yolox.int8.onnx --reference yolox.onnx --data street/ --metric boxes "
      "--min-boxes-f1 0.95");
  command->callback([o, &line] {
    o->spec.pictures = !o->html.empty();
    line.action = [o, &line] { evaluate_command(*o, line.context); };
  });
}

}  // namespace intaglio
