#include "apps/options/quant.h"

#include <CLI/CLI.hpp>

namespace intaglio {
namespace {

void add_form_options(CLI::App& command, FormOptions& o) {
  command
      .add_option(
          "--format", o.format,
          "Output form: Q/DQ pairs around float operators, operators on codes, activations "
          "quantized as the model runs, or weights alone; the last two need no data, and run "
          "convolutions at 0.13 to 0.5 of float's speed in onnxruntime")
      ->check(CLI::IsMember({"qdq", "qoperator", "dynamic", "weights"}))
      ->capture_default_str();
  command.add_flag(
      "--contrib", o.contrib,
      "Allow operators of com.microsoft (QLinearAdd, QGemm, DynamicQuantizeLSTM, ...); "
      "with qoperator or dynamic");
  command.add_flag("--from-qdq", o.from_qdq,
                   "Take a quantized model and write it as --format qdq or qoperator, with its own "
                   "scales: nothing is calibrated");
  command
      .add_option("--placement", o.placement,
                  "Q/DQ pairs so that all runs in integers, or none where it costs accuracy, such "
                  "as between a Conv and its LeakyRelu")
      ->check(CLI::IsMember({"speed", "accuracy"}))
      ->capture_default_str();
  command
      .add_option("--io", o.io,
                  "Type of graph inputs and outputs; codes have their scales in the metadata")
      ->check(CLI::IsMember({"float", "s8", "u8"}))
      ->capture_default_str();
  command.add_flag(
      "--float16", o.float16,
      "What is not quantized computes in float16; graph inputs and outputs keep their types");
}

void add_scheme_options(CLI::App& command, QuantOptions& o) {
  const auto types = CLI::IsMember({"u8", "s8", "u16", "s16"});
  command.add_option("--target", o.target, "What the output must fit: a name or file of configs/")
      ->capture_default_str();
  add_form_options(command, o.form);
  command
      .add_option("--weights", o.weights,
                  "Weight type (default: the target's); fp16 and bf16 with --format weights")
      ->check(CLI::IsMember({"u8", "s8", "u16", "s16", "fp16", "bf16"}));
  command.add_option("--activations", o.activations, "Activation type (default: the target's)")
      ->check(types);
  command.add_option("--granularity", o.granularity, "Weight scales per channel or per tensor")
      ->check(CLI::IsMember({"channel", "tensor"}));
  command.add_flag("--symmetric", o.symmetric, "Symmetric activations");
  command.add_flag("--reduce-range", o.reduce_range,
                   "7-bit weights, for u8 x s8 units that saturate");
  command
      .add_option("--weight-method", o.weight_method,
                  "How weight ranges are chosen: best (the better of minmax and mse), or a method")
      ->capture_default_str();
  command
      .add_option("--nonfinite", o.nonfinite,
                  "What observed NaN and infinities are: left out with a warning, or an error")
      ->check(CLI::IsMember({"ignore", "error"}))
      ->capture_default_str();
}

void add_selection_options(CLI::App& command, QuantOptions& o) {
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
