// intaglio quantize MODEL --data DIR -o OUT: the whole street, from a float model to a verified INT8 one.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "apps/context.h"
#include "apps/execution.h"
#include "apps/pipeline.h"
#include "calibration/selectors/selector.h"
#include "lib/base/configs.h"

namespace intaglio {
namespace {

std::string known_methods() {
  std::string text;
  for (const SelectorDef& def : selectors()) text += (text.empty() ? "" : ", ") + std::string(def.name);
  return text;
}

void add_scheme_options(CLI::App& command, QuantizeOptions& o) {
  const auto types = CLI::IsMember({"u8", "s8", "u16", "s16"});
  command.add_option("--target", o.target, "What the output must fit: a name or file of configs/")
      ->capture_default_str();
  command.add_option("--method", o.method, "Calibration method: " + known_methods())->capture_default_str();
  add_form_options(command, o.form);
  command.add_option("--weights", o.weights, "Weight type (default: the target's)")->check(types);
  command.add_option("--activations", o.activations, "Activation type (default: the target's)")->check(types);
  command.add_option("--granularity", o.granularity, "Weight scales per channel or per tensor")
      ->check(CLI::IsMember({"channel", "tensor"}));
  command.add_flag("--symmetric", o.symmetric, "Symmetric activations");
  command.add_flag("--reduce-range", o.reduce_range, "7-bit weights, for u8 x s8 units that saturate");
}

void add_selection_options(CLI::App& command, QuantizeOptions& o) {
  command.add_option("--include", o.selection.include, "Quantize only nodes whose name matches REGEX")
      ->type_name("REGEX");
  command.add_option("--exclude", o.selection.exclude, "Leave nodes whose name matches REGEX float")
      ->type_name("REGEX");
  command.add_option("--include-op", o.selection.include_ops, "Quantize only nodes of this operator")
      ->type_name("TYPE");
  command.add_option("--exclude-op", o.selection.exclude_ops, "Leave nodes of this operator float")
      ->type_name("TYPE");
}

void add_output_options(CLI::App& command, QuantizeOptions& o) {
  command.add_option("-o,--output", o.output, "Output model (default: NAME.int8.onnx here)")->type_name("FILE");
  command.add_option("--report", o.report, "JSON report (docs/report.md)")->type_name("FILE");
  command.add_flag("--json", o.json, "Print the report on stdout instead of a table");
  command.add_option("--save-plan", o.save_plan, "Write the plan, numbers included")->type_name("FILE");
  command.add_option("--plan", o.plan, "Use this plan instead of calibrating")->type_name("FILE");
  command.add_flag("--dry-run", o.dry_run, "Decide and print what would be quantized; write nothing");
}

void add_gate_options(CLI::App& command, QuantizeOptions& o) {
  add_exact_option(command, o.exact);
  command.add_option("--eval-data", o.eval_data, "Evaluate on these samples (default: up to 32 of --data)")
      ->type_name("PATH");
  command.add_option("--min-sqnr", o.gates.min_sqnr, "Exit 8 when an output has a lower SQNR")->type_name("DB");
  command.add_option("--max-top1-drop", o.gates.max_top1_drop, "Exit 8 when top-1 falls by more (needs --labels)")
      ->type_name("POINTS");
  command.add_option("--min-agreement", o.gates.min_agreement, "Exit 8 when fewer samples keep their top class")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
}

}  // namespace

void add_quantize(CLI::App& root, Context& context) {
  const auto options = std::make_shared<QuantizeOptions>();
  CLI::App* command = root.add_subcommand("quantize", "Calibrate, quantize and verify a model");
  command->add_option("MODEL", options->model, "The FP32 model")->required();
  add_data_options(*command, options->data, /*required=*/false);
  add_label_options(*command, options->data);
  add_scheme_options(*command, *options);
  add_selection_options(*command, *options);
  add_output_options(*command, *options);
  add_gate_options(*command, *options);
  command->footer(
      "Examples:\n"
      "  intaglio quantize model.onnx --data images/ -o model.int8.onnx\n"
      "  intaglio quantize model.onnx --data images/ --preprocess tf --limit 100 --report report.json");
  command->callback([options, &context] { context.action = [options, &context] { quantize(*options, context); }; });
}

}  // namespace intaglio
