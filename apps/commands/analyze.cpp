// intaglio analyze MODEL --data DIR: what each layer costs, measured one by one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/options/count.h"
#include "apps/options/data.h"
#include "apps/options/group.h"
#include "apps/options/quant.h"
#include "apps/options/refine.h"
#include "apps/pipeline/analyze.h"
#include "apps/report/analysis.h"
#include "apps/report/flags.h"
#include "apps/report/html/analysis_page.h"
#include "apps/report/report.h"
#include "lib/base/log.h"
#include "lib/eval/figures.h"

namespace intaglio {
namespace {

struct AnalyzeOptions {
  AnalyzeSpec spec;
  std::string report, html;
  std::size_t rows = 20;
  bool json = false;
};

std::string noise_text(const Json& noise) {
  const Json& db = noise["sqnr_db"];
  return decibels(db.is_null() ? std::nullopt : std::optional(db.get<double>()));
}

std::string gain_text(const Json& gain) {
  return gain.is_null() ? "-" : fmt::format("{:+.2f}", gain.get<double>());
}

// What layers cost together: each alone may win nothing where its like do the same harm.
void print_groups(const Json& groups) {
  if (groups.empty()) return;
  std::vector<std::vector<std::string>> rows = {
      {"together", "layers", "quantized alone", "float alone", "gain dB"}};
  for (const Json& g : groups)
    rows.push_back({g["name"], std::to_string(g["layers"].size()),
                    noise_text(g["together_quantized"]), noise_text(g["together_float"]),
                    gain_text(g["gain_db"])});
  print_table(rows);
  print_out("\n");
}

// analysis: that part of a report. Its first `most` layers.
void print_analysis(const Json& analysis, std::size_t most) {
  print_groups(analysis["groups"]);
  std::vector<std::vector<std::string>> rows = {
      {"rank", "layer", "op", "MACs %", "quantized alone", "float alone", "gain dB", "hint"}};
  const Json& layers = analysis["layers"];
  for (std::size_t r = 0; r < std::min(most, layers.size()); ++r) {
    const Json& l = layers[r];
    rows.push_back({std::to_string(r + 1), node_label(l), l["op"],
                    percent(l["macs_share"].get<double>()), noise_text(l["alone_quantized"]),
                    noise_text(l["alone_float"]), gain_text(l["gain_db"]),
                    with_flags(l["hint"].get<std::string>())});
  }
  print_table(rows);
  if (most < layers.size()) print_out("... and {} more: see --report\n", layers.size() - most);
  const Json& all = analysis["quantized"];
  const Json& agreement = all["agreement"];
  print_out(
      "\nAll quantized: {}{} over {} samples\n", noise_text(all),
      agreement.is_null() ? "" : fmt::format(", agreement {} %", percent(agreement.get<double>())),
      analysis["samples"].get<std::size_t>());
}

void analyze_command(const AnalyzeOptions& o, Context& context) {
  Outputs& outputs = context.outputs;
  outputs.declare("--report", o.report);
  outputs.declare("--html", o.html);
  outputs.keep("MODEL", o.spec.model);
  outputs.keep("--calibration", o.spec.calibration);
  keep_data(outputs, o.spec.data);
  keep_config(outputs, "--target", target_name(o.spec.quant));
  outputs.require_writable();
  const AnalyzeResult result = analyze(o.spec, context);
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  const Json report = report_of(o.spec, result, context);
  outputs.write(o.report, to_text(report));
  if (!o.html.empty()) outputs.write(o.html, html::analysis_page(report));
  outputs.commit();
  if (o.json)
    put_out(to_text(report));
  else
    print_analysis(report["analysis"], o.rows);
}

}  // namespace

void add_analyze(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command = root.add_subcommand(
      "analyze", "Rank the layers by what they cost when quantized, and win when left float");
  command->add_option("MODEL", options->spec.model, "The FP32 model")->required();
  add_data_options(*command, options->spec.data, /*required=*/true);
  begin_group(*command, group::method);
  command->add_option("--method", options->spec.method, "Calibration method: " + known_methods())
      ->type_name("NAME[:KEY=VALUE,...]")
      ->capture_default_str();
  begin_group(*command, group::data);
  command
      ->add_option("--samples", options->spec.samples,
                   "Analyze on this many samples at most, spread evenly over --data")
      ->check(at_least_one())
      ->capture_default_str();
  begin_group(*command, group::method);
  command
      ->add_option("--calibration", options->spec.calibration,
                   "Statistics of 'calibrate': the model is not run for them")
      ->type_name("STATS");
  begin_group(*command, group::outputs);
  command->add_option("--top", options->rows, "Rows of the table")->capture_default_str();
  command->add_option("--report", options->report, "JSON report")->type_name("FILE");
  command->add_option("--html", options->html, "The report as a page")->type_name("FILE");
  command->add_flag("--json", options->json, "Print the report on stdout instead of a table");
  add_quant_options(*command, options->spec.quant);
  add_refine_options(*command, options->spec.refine);
  command->footer(
      "Examples:\n"
      "  intaglio analyze model.onnx --data images/\n"
      "  intaglio analyze model.onnx --data images/ --samples 64 --report analysis.json --html "
      "analysis.html");
  command->callback([options, &line] {
    line.action = [options, &line] { analyze_command(*options, line.context); };
  });
}

}  // namespace intaglio
