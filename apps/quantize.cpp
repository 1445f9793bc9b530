// intaglio quantize MODEL --data DIR -o OUT: the whole street, from a float model to a verified
// INT8 one.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "apps/context.h"
#include "apps/execution.h"
#include "apps/pipeline.h"

namespace intaglio {
namespace {

void add_output_options(CLI::App& command, QuantizeOptions& o) {
  command.add_option("-o,--output", o.output, "Output model (default: NAME.int8.onnx here)")
      ->type_name("FILE");
  command.add_flag(
      "--strip", o.strip,
      "Leave out the notes of exporters: doc strings, and metadata of nodes and values");
  command.add_option("--report", o.report, "JSON report (docs/report.md)")->type_name("FILE");
  command.add_option("--html", o.html, "The report as a page with histograms")->type_name("FILE");
  command.add_flag("--json", o.json, "Print the report on stdout instead of a table");
  command.add_option("--save-plan", o.save_plan, "Write the plan, numbers included")
      ->type_name("FILE");
  command.add_option("--plan", o.plan, "Use this plan instead of calibrating")->type_name("FILE");
  command.add_flag("--dry-run", o.dry_run,
                   "Decide and print what would be quantized; write nothing");
}

void add_comparison_options(CLI::App& command, QuantizeOptions& o) {
  add_exact_option(command, o.exact);
  command
      .add_option("--eval-data", o.eval_data,
                  "Evaluate on these samples (default: up to 16 of --data)")
      ->type_name("PATH");
  command
      .add_option("--eval-limit", o.eval_limit,
                  "Compare on at most N samples, spread evenly; 0: do not compare")
      ->type_name("N");
  add_metric_options(command, o.metric);
  add_gate_options(command, o.gates);
}

}  // namespace

void add_quantize(CLI::App& root, Context& context) {
  const auto options = std::make_shared<QuantizeOptions>();
  CLI::App* command = root.add_subcommand("quantize", "Calibrate, quantize and verify a model");
  command->add_option("MODEL", options->model, "The FP32 model")->required();
  add_data_options(*command, options->data, /*required=*/false);
  add_label_options(*command, options->data);
  command
      ->add_option("--method", options->method,
                   "Calibration method, with parameters: " + known_methods())
      ->type_name("NAME[:KEY=VALUE,...]")
      ->capture_default_str();
  command
      ->add_option("--calibration", options->calibration,
                   "Statistics of 'calibrate': the model is not run")
      ->type_name("STATS");
  add_quant_options(*command, options->quant);
  add_refine_options(*command, options->refine);
  add_keep_options(*command, options->keep);
  add_output_options(*command, *options);
  add_comparison_options(*command, *options);
  command->footer(
      "Examples:\n"
      "  intaglio quantize model.onnx --data images/ -o model.int8.onnx\n"
      "  intaglio quantize model.onnx --data images/ --preprocess tf --method percentile:p=99.99 "
      "--report report.json");
  command->callback([options, &context] {
    context.action = [options, &context] { quantize(*options, context); };
  });
}

}  // namespace intaglio
