// intaglio compare MODEL: one pass over the data, then every method side by side.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/options/count.h"
#include "apps/options/data.h"
#include "apps/options/exact.h"
#include "apps/options/group.h"
#include "apps/options/metrics.h"
#include "apps/options/quant.h"
#include "apps/options/refine.h"
#include "apps/options/shape.h"
#include "apps/pipeline/compare.h"
#include "apps/report/comparison.h"
#include "apps/report/html/page.h"
#include "apps/report/report.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct CompareOptions {
  CompareSpec spec;
  std::string report, html, markdown;
  bool json = false;
};

void print_comparison(const CompareResult& r) {
  print_table(comparison_rows(r));
  print_out("\n{}\n", best_text(r));
  if (r.output) print_out("{}: written with {}\n", r.output->path, r.chosen().method.text());
}

void compare_command(const CompareOptions& o, Context& context) {
  Outputs& outputs = context.outputs;
  outputs.declare("--output", o.spec.output);
  outputs.declare("--report", o.report);
  outputs.declare("--html", o.html);
  outputs.declare("--markdown", o.markdown);
  outputs.keep("MODEL", o.spec.model);
  outputs.keep("--calibration", o.spec.calibration);
  keep_data(outputs, o.spec.data, o.spec.eval_data);
  keep_config(outputs, "--target", target_name(o.spec.quant));
  outputs.require_writable();
  const CompareResult result = compare(o.spec, context);
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  const Json report = report_of(o.spec, result, context);
  outputs.write(o.report, to_text(report));
  if (!o.html.empty())
    outputs.write(o.html, html::page({report, result.observed.statistics.observations,
                                      result.session.prepared.model.graph(),
                                      result.chosen().quantized.plan}));
  if (!o.markdown.empty()) outputs.write(o.markdown, comparison_markdown(result));
  outputs.commit();
  if (o.json)
    put_out(to_text(report));
  else
    print_comparison(result);
}

}  // namespace

void add_compare(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      root.add_subcommand("compare", "Calibrate once, then evaluate every method side by side");
  command->add_option("MODEL", options->spec.model, "The FP32 model")->required();
  begin_group(*command, group::method);
  command
      ->add_option(
          "--method", options->spec.methods,
          "A method with parameters, repeatable: " + known_methods() + " (default: all of them)")
      ->type_name("NAME[:KEY=VALUE,...]");
  command
      ->add_option("--calibration", options->spec.calibration,
                   "Statistics of 'calibrate': the model is not run for them")
      ->type_name("STATS");
  begin_group(*command, group::comparison);
  command
      ->add_option(
          "--eval-data", options->spec.eval_data,
          "Evaluate on these samples (default: some of --data, which are not calibrated on)")
      ->type_name("PATH");
  command
      ->add_option("--eval-limit", options->spec.eval_limit,
                   "Evaluate on at most N samples, spread evenly")
      ->check(at_least_one())
      ->type_name("N");
  command
      ->add_option("--objective", options->spec.objective,
                   fmt::format("What the best method is best at: {} (default: agreement of a "
                               "classifier, kl of a language model, else sqnr or boxes)",
                               fmt::join(objectives(), ", ")))
      ->check([](const std::string& word) {  // too many to stand in the name
        return metric_of(word) != nullptr ? std::string() : word + ": no such objective";
      })
      ->type_name("NAME");
  add_metric_options(*command, options->spec.metric);
  begin_group(*command, group::outputs);
  command->add_option("-o,--output", options->spec.output, "Write the best model")
      ->type_name("FILE");
  command->add_option("--report", options->report, "JSON report")->type_name("FILE");
  command->add_option("--html", options->html, "The report as a page with histograms")
      ->type_name("FILE");
  command
      ->add_option("--markdown", options->markdown,
                   "The table as Markdown, for pull requests and job summaries")
      ->type_name("FILE.md");
  command->add_flag("--json", options->json, "Print the report on stdout instead of a table");
  add_exact_option(*command, options->spec.exact);
  add_data_options(*command, options->spec.data, /*required=*/false);
  add_label_options(*command, options->spec.data);
  add_quant_options(*command, options->spec.quant);
  add_shape_options(*command, options->spec.quant.form.shapes);
  add_refine_options(*command, options->spec.refine);
  command->footer(
      "Examples:\n"
      "  intaglio compare model.onnx --data images/\n"
      "  intaglio compare model.onnx --data calib/ --eval-data val/ --labels val/labels.csv "
      "--method minmax"
      " --method percentile:p=99.99 -o best.onnx");
  command->callback([options, &line] {
    options->spec.data.shapes = options->spec.quant.form.shapes;
    line.action = [options, &line] { compare_command(*options, line.context); };
  });
}

}  // namespace intaglio
