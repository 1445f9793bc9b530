// intaglio compare MODEL: one pass over the data, then every method side by side.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <set>

#include "apps/compare_report.h"
#include "apps/deciding.h"
#include "apps/evaluation_text.h"
#include "apps/execution.h"
#include "apps/html/page.h"
#include "apps/metric_options.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/save.h"

namespace intaglio {
namespace {

constexpr Shard held_out{3, 5};      // every fifth sample, when there is no --eval-data
constexpr std::size_t too_few = 10;  // samples to hold some out

struct CompareOptions {
  std::string model, output, report, html, calibration;
  DataOptions data;
  std::vector<std::string> eval_data, methods;
  QuantOptions quant;
  RefineOptions refine;
  MetricOptions metric;
  std::string objective, exact = "integer";  // empty: what suits the outputs
  bool json = false;
};

std::vector<Method> parse_methods(const std::vector<std::string>& texts) {
  std::vector<Method> methods;
  std::set<std::string> seen;
  for (const std::string& text : texts)
    if (!seen.insert(methods.emplace_back(parse_method(text)).text()).second)
      throw Error(Code::usage, fmt::format("--method {} is given twice", text),
                  "Give each method once.");
  if (texts.empty())
    for (const SelectorDef& def : selectors()) methods.push_back(parse_method(def.name));
  return methods;
}

void check_options(const CompareOptions& o) {
  if (!o.quant.form.calibrated())
    throw Error(
        Code::usage,
        fmt::format("--format {} has no calibration methods to compare", o.quant.form.format),
        "Compare qdq or qoperator.");
  if (o.objective == "top1" && o.data.labels.empty())
    throw Error(Code::usage, "--objective top1 needs labels", "Give --labels FILE.csv.");
  require_outputs(o.model, {o.output, o.report, o.html});
}

MetricRequest metric_request(const CompareOptions& o) {
  std::vector<Metric> needed;
  if (const auto metric = metric_of(o.objective)) needed.push_back(*metric);
  return request_of(o.metric, std::move(needed), !o.data.labels.empty());
}

// Which samples are calibrated on, and which evaluated: never the same ones, unless there are next
// to none.
struct Split {
  DataOptions calibration, evaluation;
};

Split split(const CompareOptions& o, const Prepared& prepared, std::vector<std::string>& warnings) {
  Split s{o.data, o.data};
  if (!o.eval_data.empty()) {
    s.evaluation.data = o.eval_data;
    s.evaluation.limit = 0;
  } else if (o.calibration.empty()) {
    std::vector<std::string> unused;
    const SampleSet all(o.data, o.data.data, make_recipe(o.data, prepared.model, unused),
                        prepared.model.graph());
    if (all.samples().count < too_few) {
      warnings.push_back(fmt::format(
          "only {} samples: methods are evaluated on those that they were calibrated on",
          all.samples().count));
    } else {
      s.calibration.without = s.evaluation.shard = held_out;
    }
  }
  return s;
}

void compare_command(const CompareOptions& o, Context& context) {
  const std::vector<Method> methods = parse_methods(o.methods);
  const Target target = effective_target(o.quant);
  const RefineSteps steps = refine_steps(o.refine);
  check_options(o);
  const MetricRequest request = metric_request(o);
  Prepared prepared = load_prepared(o.model, target, context);
  Plan plan = draft_for(o.quant.form, prepared.model.graph(), target, o.quant.selection);
  plan.model_hash = prepared.hash;
  require_something(plan);
  require_plannable(request, prepared.model.graph());

  std::vector<std::string> warnings;
  const Split data = split(o, prepared, warnings);
  const Observed observed =
      observe(prepared, plan, data.calibration,
              {.refine = steps,
               .redraft = redraft_for(o.quant.form, target, o.quant.selection),
               .calibration = o.calibration},
              context, warnings);
  const Observations& observations = observed.statistics.observations;

  const PreprocessRecipe recipe =
      make_recipe(data.evaluation, prepared.model, warnings, observed.statistics.preprocess);
  const Ground ground{prepared, target, o.quant, observed, data.calibration, data.calibration.data,
                      recipe,   steps};
  std::vector<Pressed> pressed;
  std::vector<Json> refinements;
  for (const Method& method : methods) {
    Attempt done = attempt(ground, plan, method, context, warnings);
    refinements.push_back(refine_json(o.refine, steps, observed.rebalanced, done.refined));
    pressed.push_back(std::move(done.pressed));
  }

  const SampleSet set(data.evaluation, data.evaluation.data, recipe, prepared.model.graph());
  const std::vector<Measured> measured = context.phase("evaluate", [&] {
    return measure(prepared, pressed, set.samples(), {o.exact, request}, context);
  });
  set.finish(warnings);
  for (std::string& warning : evaluation_warnings(measured.front().evaluation))
    warnings.push_back(std::move(warning));

  Comparison comparison{
      prepared, target, o.quant.form.format, observed.data, set.json(context.worker_count()), {}};
  comparison.objective =
      o.objective.empty() ? default_objective(measured.front().evaluation.plan) : o.objective;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    write_metadata(pressed[i].model, prepared, o.quant, methods[i].text(),
                   set.reads_images() ? std::optional(recipe) : std::nullopt);
    comparison.methods.push_back({methods[i], pressed[i], measured[i], size_of(pressed[i].model)});
    for (const std::string& warning : pressed[i].plan.warnings)
      warnings.push_back(fmt::format("{}: {}", methods[i].text(), warning));
  }
  const Best best = best_of(comparison);
  Json saved;
  if (!o.output.empty()) {
    const Model& result = pressed[best.index].model;
    const DataFiles data_files =
        context.phase("save", [&] { return save_model(result, o.output); });
    saved = output_json(o.output, o.quant.form.format, data_files);
    warn_of_growth(prepared, result, saved, warnings);
  }
  for (const std::string& warning : warnings) log::warn("{}", warning);

  Json report = to_json(comparison, best, observations);
  for (std::size_t i = 0; i < refinements.size(); ++i)
    report["methods"][i]["refine"] = refinements[i];
  report["output"] = saved;
  report["warnings"] = warnings;
  report["run"] = context.run_json(observations.samples, context.seconds_of("calibrate"));
  if (!o.report.empty()) write_file(o.report, to_text(report));
  if (!o.html.empty())
    write_file(o.html, html::page({report, observations, prepared.model.graph(),
                                   pressed[best.index].plan}));
  if (o.json) {
    fmt::print("{}", to_text(report));
  } else {
    print_comparison(comparison, best);
    if (!o.output.empty())
      fmt::print("{}: written with {}\n", o.output, methods[best.index].text());
  }
}

}  // namespace

void add_compare(CLI::App& root, Context& context) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      root.add_subcommand("compare", "Calibrate once, then evaluate every method side by side");
  command->add_option("MODEL", options->model, "The FP32 model")->required();
  command
      ->add_option(
          "--method", options->methods,
          "A method with parameters, repeatable: " + known_methods() + " (default: all of them)")
      ->type_name("NAME[:KEY=VALUE,...]");
  command
      ->add_option("--calibration", options->calibration,
                   "Statistics of 'calibrate': the model is not run for them")
      ->type_name("STATS");
  command
      ->add_option(
          "--eval-data", options->eval_data,
          "Evaluate on these samples (default: every fifth of --data, which is not calibrated on)")
      ->type_name("PATH");
  command
      ->add_option("--objective", options->objective,
                   "What the best method is best at (default: agreement of a classifier, else sqnr "
                   "or boxes)")
      ->check(CLI::IsMember(objectives()));
  add_metric_options(*command, options->metric);
  command->add_option("-o,--output", options->output, "Write the best model")->type_name("FILE");
  command->add_option("--report", options->report, "JSON report")->type_name("FILE");
  command->add_option("--html", options->html, "The report as a page with histograms")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print the report on stdout instead of a table");
  add_exact_option(*command, options->exact);
  add_data_options(*command, options->data, /*required=*/false);
  add_label_options(*command, options->data);
  add_quant_options(*command, options->quant);
  add_refine_options(*command, options->refine);
  command->footer(
      "Examples:\n"
      "  intaglio compare model.onnx --data images/\n"
      "  intaglio compare model.onnx --data calib/ --eval-data val/ --labels val/labels.csv "
      "--method minmax"
      " --method percentile:p=99.99 -o best.onnx");
  command->callback([options, &context] {
    context.action = [options, &context] { compare_command(*options, context); };
  });
}

}  // namespace intaglio
