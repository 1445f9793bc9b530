#include "apps/quant_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/configs.h"
#include "lib/quant/raise.h"

namespace intaglio {
namespace {

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

bool half_weights(const QuantOptions& o) { return o.weights == "fp16" || o.weights == "bf16"; }

void require_no_scales(const QuantOptions& o) {
  if (o.form.format != "weights" || o.form.from_qdq)
    throw Error(Code::usage,
                fmt::format("--weights {}: the form '{}' has integers", o.weights, o.form.format),
                "Use --format weights; --float16 casts what stays float in the other forms.");
  if (!o.granularity.empty() || o.reduce_range)
    throw Error(Code::usage,
                fmt::format("--weights {}: there are no scales, so --granularity and "
                            "--reduce-range have no effect",
                            o.weights),
                "Leave them out.");
}

}  // namespace

void add_quant_options(CLI::App& command, QuantOptions& options) {
  add_scheme_options(command, options);
  add_selection_options(command, options);
}

Target effective_target(const QuantOptions& o) {
  require_consistent(o.form, {o.activations, o.symmetric});
  Target target = read_target(find_config(ConfigKind::target, o.target));
  if (half_weights(o)) {
    require_no_scales(o);
    target.weights.type = o.weights == "fp16" ? DType::f16 : DType::bf16;
  } else if (!o.weights.empty()) {
    target.weights.type = dtype_named(o.weights);
    target.weights.symmetric = o.weights.front() == 's';
  }
  if (!o.activations.empty()) target.activations.type = dtype_named(o.activations);
  if (!o.granularity.empty()) target.per_channel = o.granularity == "channel";
  if (o.symmetric) target.activations.symmetric = true;
  if (o.reduce_range) target.weights.reduce_range = true;
  if (is_wide(target.activations.type) || is_wide(target.weights.type))
    target.opset = std::max(target.opset, wide_opset);
  target = target_for(o.form, std::move(target));
  if (!o.form.from_qdq && o.form.contrib) require_accepted(target, "contrib");
  if (!o.form.from_qdq && !(o.form.contrib && o.form.format == "qoperator"))
    require_accepted(target, o.form.format);
  return target;
}

SelectOptions select_options(const QuantOptions& o, const Target& target, Method method,
                             std::size_t threads) {
  return {.method = std::move(method),
          .weights = parse_weight_method(o.weight_method),
          .min_range = target.min_range,
          .nonfinite = o.nonfinite == "error" ? NonFinite::error : NonFinite::ignore,
          .unshare = target.engine != Engine::pairs,
          .data_quantized_later = o.form.format == "dynamic",
          .threads = threads};
}

std::string known_methods() {
  std::string text;
  for (const SelectorDef& def : selectors())
    text += (text.empty() ? "" : ", ") + std::string(def.name);
  return text;
}

}  // namespace intaglio
