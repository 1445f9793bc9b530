#include "apps/options/quant.h"

#include <CLI/CLI.hpp>

#include "apps/options/choice.h"
#include "apps/options/group.h"

namespace intaglio {
namespace {

void add_form_options(CLI::App& command, FormOptions& o) {
  add_choice(command, "--format", o.form,
             "Q/DQ pairs around float operators, operators on codes, activations quantized as the "
             "model runs, or weights alone; the last two need no data and are slow where a model "
             "has convolutions");
  command.add_flag(
      "--contrib", o.contrib,
      "Allow operators of com.microsoft (QLinearAdd, QGemm, DynamicQuantizeLSTM, ...); "
      "with qoperator or dynamic");
  command.add_flag("--from-qdq", o.from_qdq,
                   "Take a quantized model and write it as --format qdq or qoperator, with its own "
                   "scales: nothing is calibrated");
  add_choice(command, "--placement", o.placement,
             "Q/DQ pairs so that all runs in integers, or none where it costs accuracy, such "
             "as between a Conv and its LeakyRelu");
  command
      .add_option_function<std::string>(
          "--io", [&o](const std::string& text) { o.io = parse_interface(text); },
          "Type of graph inputs and outputs, or two types as in s8,float; codes have their scales "
          "in the metadata")
      ->type_name("float|s8|u8")
      ->default_str("float");
  command.add_flag(
      "--float16", o.float16,
      "What is not quantized computes in float16; graph inputs and outputs keep their types");
}

void add_scheme_options(CLI::App& command, QuantOptions& o) {
  begin_group(command, group::form);
  command.add_option("--target", o.target, "What the output must fit: a name or file of configs/")
      ->type_name("NAME|FILE")
      ->capture_default_str();
  add_form_options(command, o.form);
  command
      .add_option_function<std::string>(
          "--input-range", [&o](const std::string& text) { o.input_range = parse_range(text); },
          "The range of float inputs, in place of what samples show (default with codes of images: "
          "what the recipe can give)")
      ->type_name("LO,HI");
  command.add_option("--opset", o.opset, "Opset of the result, where the target asks for less")
      ->type_name("N")
      ->check(CLI::Range(13, 21));
  add_choice(command, "--weights", o.weights, weight_types,
             "Weight type (default: the target's); fp16 and bf16 with --format weights");
  add_choice(command, "--activations", o.activations, code_types,
             "Activation type (default: the target's)");
  add_choice(command, "--granularity", o.granularity, words(Granularity{}),
             "Weight scales per channel or per tensor");
  command.add_flag("--symmetric", o.symmetric, "Symmetric activations");
  command.add_flag("--reduce-range", o.reduce_range,
                   "7-bit weights, for u8 x s8 units that saturate");
  begin_group(command, group::method);
  command
      .add_option("--weight-method", o.weight_method,
                  "How weight ranges are chosen: best (the better of minmax and mse), or a method")
      ->type_name("NAME")
      ->capture_default_str();
  add_choice(command, "--nonfinite", o.nonfinite,
             "What observed NaN and infinities are: left out with a warning, or an error");
}

void add_selection_options(CLI::App& command, QuantOptions& o) {
  begin_group(command, group::accuracy);
  command
      .add_option("--include", o.selection.include, "Quantize only nodes whose name matches REGEX")
      ->type_name("REGEX");
  command
      .add_option("--exclude", o.selection.exclude, "Leave nodes whose name matches REGEX float")
      ->type_name("REGEX");
  command
      .add_option("--include-op", o.selection.include_ops, "Quantize only nodes of this operator")
      ->type_name("TYPE");
  command.add_option("--exclude-op", o.selection.exclude_ops, "Leave nodes of this operator float")
      ->type_name("TYPE");
}

}  // namespace

void add_quant_options(CLI::App& command, QuantOptions& options) {
  add_scheme_options(command, options);
  add_selection_options(command, options);
}

}  // namespace intaglio
