#include "apps/options/quant.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "apps/options/choice.h"
#include "apps/options/group.h"
#include "lib/quant/grouped_weight.h"

namespace intaglio {
namespace {

void add_form_options(CLI::App& command, FormOptions& o) {
  add_choice(
      command, "--format", o.form,
      "Q/DQ pairs around float operators, operators on codes, activations quantized as the "
      "model runs, or weights alone, behind DequantizeLinear or, in groups, in MatMulNBits: these "
      "three need no data and are slow where a model has convolutions; a TFLite file of int8 "
      "operators; or the network of --ncnn-param in int8");
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

// Somebody looks for 3 bits, which no list of types explains.
std::string refuse_three_bits(std::string& type) {
  const bool three = type == "u3" || type == "s3" || type == "int3" || type == "uint3";
  return three ? "no runtime has a form of 3 bits: use u4, or u2" : "";
}

// Checked as a whole, so that the message can say which sizes there are and why.
std::int64_t parse_group(const std::string& text) {
  std::int64_t group = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), group);
  const bool power = group > 0 && (group & (group - 1)) == 0;
  if (error != std::errc() || end != text.data() + text.size() || !power || group < least_group ||
      group > most_group)
    throw Error(Code::usage,
                fmt::format("--group {}: runtimes have kernels for groups of 16, 32, 64, 128 and "
                            "256 weights alone",
                            text),
                "Use 32 (the most accurate for its size) or 128 (a tenth smaller).");
  return group;
}

void add_group_options(CLI::App& command, QuantOptions& o) {
  command
      .add_option_function<std::string>(
          "--group", [&o](const std::string& text) { o.group = parse_group(text); },
          "So many weights along what is summed over share a scale (default with 4 and 2 bits: 32)")
      ->type_name("16|32|64|128|256");
  command
      .add_option_function<std::vector<std::string>>(
          "--weights-of",
          [&o](const std::vector<std::string>& texts) {
            for (const std::string& text : texts)
              o.selection.weights_of.push_back(parse_weight_type_rule(text));
          },
          "Nodes whose name matches REGEX have weights of this type, or float; with groups")
      ->type_name("REGEX=TYPE");
  add_choice(command, "--head", o.selection.head, grouped_types,
             "Weight type of the product that makes a result of the graph; with groups");
  add_choice(command, "--table", o.selection.table, grouped_types,
             "Weight type of tables that are looked up, with matmulnbits (default: u8)");
  command
      .add_option(
          "--accuracy-level", o.form.accuracy_level,
          "Of MatMulNBits: 4 (the default) lets the runtime round activations to 8 bits, for which "
          "it has its fast kernels; 0 does not")
      ->type_name("0..4")
      ->check(CLI::Range(0, 4));
}

void add_scheme_options(CLI::App& command, QuantOptions& o) {
  begin_group(command, group::form);
  command
      .add_option("--target", o.target,
                  "What the output must fit: a name or file of configs/ (default: onnxruntime; "
                  "tflite-like or ncnn for such files)")
      ->type_name("NAME|FILE");
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
             "Weight type (default: the target's); fp16 and bf16 with --format weights; u4, s4, u2 "
             "and s2 with --format weights or matmulnbits, in groups");
  command.get_option("--weights")->transform(CLI::Validator(refuse_three_bits, ""));
  add_group_options(command, o);
  add_choice(command, "--activations", o.activations, code_types,
             "Activation type (default: the target's)");
  add_choice(command, "--granularity", o.granularity, words(Granularity{}),
             "Weight scales per channel or per tensor");
  command.add_flag("--symmetric", o.symmetric, "Symmetric activations");
  command.add_flag("--reduce-range", o.reduce_range,
                   "7-bit weights, for u8 x s8 units that saturate");
  command.add_flag("--no-zero-zero-points", o.never_zero,
                   "No zero point is that of symmetric codes (0 of s8, 128 of u8): compilers that "
                   "would take all for symmetric keep the scales");
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
