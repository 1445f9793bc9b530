// intaglio analyze MODEL --data DIR: what each layer costs, measured one by one.
#include <fmt/format.h>

#include <memory>

#include "apps/analysis_report.h"
#include "apps/deciding.h"
#include "apps/html/analysis_page.h"
#include "apps/report.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct AnalyzeOptions {
  std::string model, report, html, calibration, method = "mse";
  DataOptions data;
  QuantOptions quant;
  RefineOptions refine;
  std::size_t samples = 32, rows = 20;
  bool json = false;
};

void check_options(const AnalyzeOptions& o) {
  if (!o.quant.form.calibrated())
    throw Error(
        Code::usage,
        fmt::format("--format {} has no layers with ranges to analyze", o.quant.form.format),
        "Analyze qdq or qoperator.");
  require_outputs(o.model, {o.report, o.html});
}

Sensitivity measure(const AnalyzeOptions& o, const Prepared& prepared, const Target& target,
                    const Decided& decided, const SampleSet& set, Context& context) {
  Selection selection = o.quant.selection;
  selection.left_float = prepared.left_float;
  return context.phase("analyze", [&] {
    const SensitivityOptions options{
        .simulator = {.threads = context.worker_count(), .progress = context.progress("analyze")}};
    return measure_sensitivity(
        {prepared.model, decided.refined.model, decided.plan, target, selection},
        spread(set.samples(), o.samples), options);
  });
}

void analyze_command(const AnalyzeOptions& o, Context& context) {
  const Method method = parse_method(o.method);
  const Target target = effective_target(o.quant);
  const RefineSteps steps = refine_steps(o.refine);
  check_options(o);
  Prepared prepared = load_prepared(o.model, target, context);
  Plan plan = draft_for(o.quant.form, prepared.model.graph(), target, o.quant.selection);
  plan.model_hash = prepared.hash;
  require_something(plan);

  std::vector<std::string> warnings;
  const Observed observed =
      observe(prepared, plan, o.data,
              {.histograms = method.needs_histogram,
               .refine = steps,
               .redraft = redraft_for(o.quant.form, target, o.quant.selection),
               .calibration = o.calibration},
              context, warnings);
  const PreprocessRecipe recipe =
      make_recipe(o.data, prepared.model, warnings, observed.statistics.preprocess);
  const Decided decided =
      decide({prepared, target, o.quant, observed, o.data, o.data.data, recipe, steps},
             std::move(plan), method, context, warnings);
  const SampleSet set(o.data, o.data.data, recipe, prepared.model.graph());
  const Executor executor(prepared.model.graph(), CompileOptions::nothing_observed());
  const bool classes = plan_metrics({}, executor, set.samples()).has(Metric::agreement);
  const Sensitivity sensitivity = measure(o, prepared, target, decided, set, context);
  for (const std::string& warning : decided.plan.warnings) warnings.push_back(warning);
  for (const std::string& warning : warnings) log::warn("{}", warning);

  Json report = {
      {"schema", "intaglio.analysis/1"},
      {"command", "analyze"},
      {"tool", tool_json()},
      {"model", prepared.source},
      {"data", observed.data},
      {"method", method_json(method)},
      {"target", target.name},
      {"refine", refine_json(o.refine, steps, observed.rebalanced, decided.refined.json)},
      {"analysis", analysis_json(sensitivity, classes)},
      {"warnings", warnings},
      {"run", context.run_json(sensitivity.quantized.samples, context.seconds_of("analyze"))}};
  if (!o.report.empty()) write_file(o.report, to_text(report));
  if (!o.html.empty()) write_file(o.html, html::analysis_page(report));
  if (o.json) {
    fmt::print("{}", to_text(report));
  } else {
    print_analysis(sensitivity, classes, o.rows);
  }
}

}  // namespace

void add_analyze(CLI::App& root, Context& context) {
  const auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command = root.add_subcommand(
      "analyze", "Rank the layers by what they cost when quantized, and win when left float");
  command->add_option("MODEL", options->model, "The FP32 model")->required();
  command->add_option("--method", options->method, "Calibration method: " + known_methods())
      ->type_name("NAME[:KEY=VALUE,...]")
      ->capture_default_str();
  command
      ->add_option("--samples", options->samples,
                   "Analyze on this many samples at most, spread evenly over --data")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--calibration", options->calibration,
                   "Statistics of 'calibrate': the model is not run for them")
      ->type_name("STATS");
  command->add_option("--top", options->rows, "Rows of the table")->capture_default_str();
  command->add_option("--report", options->report, "JSON report")->type_name("FILE");
  command->add_option("--html", options->html, "The report as a page")->type_name("FILE");
  command->add_flag("--json", options->json, "Print the report on stdout instead of a table");
  add_data_options(*command, options->data, /*required=*/true);
  add_quant_options(*command, options->quant);
  add_refine_options(*command, options->refine);
  command->footer(
      "Examples:\n"
      "  intaglio analyze model.onnx --data images/\n"
      "  intaglio analyze model.onnx --data images/ --samples 64 --report analysis.json --html "
      "analysis.html");
  command->callback([options, &context] {
    context.action = [options, &context] { analyze_command(*options, context); };
  });
}

}  // namespace intaglio
