// intaglio quantize MODEL --data DIR -o OUT: the whole street, from a float model to a verified
// INT8 one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/commands/quantize_text.h"
#include "apps/options/choice.h"
#include "apps/options/data.h"
#include "apps/options/exact.h"
#include "apps/options/gates.h"
#include "apps/options/group.h"
#include "apps/options/junit.h"
#include "apps/options/keep.h"
#include "apps/options/metrics.h"
#include "apps/options/quant.h"
#include "apps/options/refine.h"
#include "apps/options/shape.h"
#include "apps/pipeline/quantize.h"
#include "apps/report/c_header.h"
#include "apps/report/flags.h"
#include "apps/report/html/page.h"
#include "apps/report/junit.h"
#include "apps/report/quantize.h"
#include "apps/report/report.h"
#include "apps/report/samples.h"
#include "apps/report/summary.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct QuantizeOptions {
  QuantizeSpec spec;
  std::string report, samples, html, junit, markdown, save_plan, c_header;
  bool json = false, dry_run = false;
};

void print_draft(const Plan& plan, const QuantizeOptions& o) {
  if (o.json) return put_out(to_text(to_json(plan)));
  print_plan(plan);
  if (o.spec.keep.wanted()) print_out("--keep-float chooses among these by measuring\n");
}

std::vector<JudgedGate> judged(const QuantizeOptions& o, const QuantizeResult& result) {
  return result.measured ? o.spec.gates.judge(result.measured->evaluation)
                         : std::vector<JudgedGate>();
}

TestSuite test_suite(const QuantizeOptions& o, const QuantizeResult& result) {
  const Evaluation& evaluation = result.measured->evaluation;
  return {"intaglio quantize",
          {{"model", o.spec.model},
           {"output", result.output.path},
           {"samples", with_flags(samples_text(evaluation.samples, result.evaluation_source))}},
          test_cases(judged(o, result))};
}

// What the result says of itself, beside the model: files, and lines on stdout.
void tell(const QuantizeOptions& o, const QuantizeResult& result, Context& context) {
  const Quantized& quantized = result.kept.best.quantized;
  Outputs& outputs = context.outputs;
  outputs.write(o.save_plan, to_text(to_json(quantized.plan)));
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  // It looks at every value of every weight: made when somebody reads it.
  const bool reads_report = o.json || !o.report.empty() || !o.html.empty();
  const Json report = reads_report ? report_of(o.spec, result, context) : Json();
  outputs.write(o.report, to_text(report));
  if (result.measured) {
    outputs.write(o.samples, samples_file_text(result.measured->evaluation, o.samples));
    outputs.write(o.junit, junit_text(test_suite(o, result)));
  }
  if (!o.markdown.empty()) outputs.write(o.markdown, quantize_markdown(result, judged(o, result)));
  if (!o.html.empty())
    outputs.write(o.html, html::page({report, result.observed.statistics.observations,
                                      result.session.prepared.model.graph(), quantized.plan,
                                      result.measured ? result.measured->shown : Shown()}));
  if (!o.c_header.empty())
    outputs.write(o.c_header, c_header(o.c_header, output_path(o.spec), quantized.model.graph(),
                                       quantized.interface.value_or(Interface{}), result.recipe,
                                       result.output.tflite ? &*result.output.tflite : nullptr));
  outputs.commit();
  if (o.json)
    put_out(to_text(report));
  else
    print_summary(result, o.spec.gates);
}

void declare_files(const QuantizeOptions& o, Outputs& outputs) {
  outputs.declare("--output", output_path(o.spec));
  outputs.declare("--report", o.report);
  outputs.declare("--samples", o.samples);
  outputs.declare("--html", o.html);
  outputs.declare("--junit", o.junit);
  outputs.declare("--markdown", o.markdown);
  outputs.declare("--save-plan", o.save_plan);
  outputs.declare("--c-header", o.c_header);
  declare_hand_over(o.spec.hand_over, o.spec.quant.form, output_path(o.spec), outputs);
  outputs.keep("MODEL", o.spec.model);
  outputs.keep("--plan", o.spec.plan);
  outputs.keep("--calibration", o.spec.calibration);
  keep_data(outputs, o.spec.data, o.spec.eval_data);
  keep_config(outputs, "--target", target_name(o.spec.quant));
}

void quantize_command(const QuantizeOptions& o, Context& context) {
  if (!o.save_plan.empty() && has_groups(o.spec.quant))
    throw Error(Code::usage, "--save-plan: a plan holds no codes of weights in groups",
                "Leave it out; --report says what was chosen.");
  require_samples_file(o.samples);
  require_gates(o.junit, o.spec.gates.any(),
                "Set one, such as --min-agreement 95, or leave --junit out.");
  if (!o.samples.empty() && !o.spec.compares())
    throw Error(Code::usage, "--samples needs samples to compare on",
                "Give --data or --eval-data, and no --eval-limit 0.");
  require_consistent(o.spec);
  declare_files(o, context.outputs);
  if (!o.dry_run) context.outputs.require_writable();
  if (o.dry_run) return print_draft(draft_only(o.spec, context), o);
  const QuantizeResult result = quantize(o.spec, context);
  tell(o, result, context);
  if (result.kept.summary && result.kept.summary->interrupted)
    throw Error(Code::interrupted, "interrupted while searching for layers to keep float",
                "The best model found so far was written.");
  require_held(judged(o, result),
               "The outputs were written all the same; --keep-float auto searches for layers "
               "whose precision is worth their cost, --samples FILE.csv lists what was lost.");
}

void add_output_options(CLI::App& command, QuantizeOptions& o) {
  begin_group(command, group::outputs);
  command
      .add_option("-o,--output", o.spec.output,
                  "Output (default: NAME.int8.onnx, .tflite, .ncnn.param)")
      ->type_name("FILE");
  command.add_flag(
      "--strip", o.spec.strip,
      "Leave out the notes of exporters: doc strings, and metadata of nodes and values");
  add_choice(command, "--external-data", o.spec.external,
             "Weights go to a file beside the model: auto, when they do not fit into it, or, in "
             "groups, when they were beside it before; or always");
  command.add_option("--report", o.report, "JSON report (docs/report.md)")->type_name("FILE");
  command.add_option("--samples", o.samples, "What both models say of each sample: .csv or .json")
      ->type_name("FILE");
  command.add_option("--html", o.html, "The report as a page with histograms")->type_name("FILE");
  command
      .add_option("--markdown", o.markdown,
                  "Sizes, figures and gates as Markdown, for pull requests and job summaries")
      ->type_name("FILE.md");
  command.add_flag("--json", o.json, "Print the report on stdout instead of a table");
  command
      .add_option("--c-header", o.c_header, "Shapes, scales and sizes of inputs and outputs for C")
      ->type_name("FILE");
  command.add_option("--save-plan", o.save_plan, "Write the plan, numbers included")
      ->type_name("FILE");
  command.add_flag("--dry-run", o.dry_run, "Print what would be quantized; write nothing");
}

void add_hand_over_options(CLI::App& command, HandOverOptions& o) {
  command
      .add_option("--float-output", o.float_output,
                  "The float model of the result, refined and with weights on their grid, for "
                  "toolchains that quantize themselves")
      ->type_name("FILE");
  command
      .add_option("--ranges", o.ranges,
                  "Ranges of its activations, as --ranges-format says, to give such a toolchain")
      ->type_name("FILE");
  add_choice(command, "--ranges-format", o.ranges_format, words(RangesFormat{}),
             "The form of --ranges: table of ncnn2int8, calibration table of tpu-mlir, JSON for "
             "ai-edge-quantizer, quantization.cfg of rknn-toolkit2");
  command
      .add_option("--ncnn-param", o.ncnn_param,
                  "The NAME.ncnn.param that pnnx made of the model, or of --float-output; its .bin "
                  "is beside it")
      ->type_name("FILE");
}

void add_comparison_options(CLI::App& command, QuantizeOptions& o) {
  begin_group(command, group::comparison);
  command
      .add_option("--eval-data", o.spec.eval_data,
                  "Evaluate on these samples (default: up to 16 of --data; with gates or labels "
                  "samples of it that are not calibrated on)")
      ->type_name("PATH");
  command
      .add_option("--eval-limit", o.spec.eval_limit,
                  "Compare on at most N samples, spread evenly; 0: do not compare")
      ->type_name("N");
  add_metric_options(command, o.spec.metric);
  add_exact_option(command, o.spec.exact);
  add_gate_options(command, o.spec.gates);
  add_junit_option(command, o.junit);
}

}  // namespace

void add_quantize(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<QuantizeOptions>();
  CLI::App* command = root.add_subcommand("quantize", "Calibrate, quantize and verify a model");
  command->add_option("MODEL", options->spec.model, "The FP32 model")->required();
  add_data_options(*command, options->spec.data, /*required=*/false);
  add_label_options(*command, options->spec.data);
  add_name_options(*command, options->spec.data);
  begin_group(*command, group::method);
  command
      ->add_option("--method", options->spec.method,
                   "Calibration method, with parameters: " + known_methods())
      ->type_name("NAME[:KEY=VALUE,...]")
      ->capture_default_str();
  command
      ->add_option("--calibration", options->spec.calibration,
                   "Statistics of 'calibrate': the model is not run")
      ->type_name("STATS");
  command->add_option("--plan", options->spec.plan, "Use this plan instead of calibrating")
      ->type_name("FILE");
  add_quant_options(*command, options->spec.quant);
  add_shape_options(*command, options->spec.quant.form.shapes);
  add_refine_options(*command, options->spec.refine);
  add_keep_options(*command, options->spec.keep);
  add_output_options(*command, *options);
  add_hand_over_options(*command, options->spec.hand_over);
  add_comparison_options(*command, *options);
  command->footer(
      "Examples:\n"
      "  intaglio quantize model.onnx --data images/ -o model.int8.onnx\n"
      "  intaglio quantize model.onnx --data images/ --preprocess tf --method percentile:p=99.99 "
      "--report report.json");
  command->callback([options, &line] {
    options->spec.data.shapes = options->spec.quant.form.shapes;
    options->spec.pictures = !options->html.empty();
    line.action = [options, &line] { quantize_command(*options, line.context); };
  });
}

}  // namespace intaglio
