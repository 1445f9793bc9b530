#include "apps/pipeline/quant.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/base/configs.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

bool half_weights(const QuantOptions& o) { return o.weights && is_half(*o.weights); }

void require_no_scales(const QuantOptions& o) {
  const auto type = word_in(weight_types, *o.weights);
  if (!o.form.traits().weights_alone() || o.form.from_qdq)
    throw Error(Code::usage,
                fmt::format("--weights {}: the form '{}' has integers", type, o.form.name()),
                "Use --format weights; --float16 casts what stays float in the other forms.");
  if (o.granularity || o.reduce_range)
    throw Error(Code::usage,
                fmt::format("--weights {}: there are no scales, so --granularity and "
                            "--reduce-range have no effect",
                            type),
                "Leave them out.");
}

bool is_narrow(DType type) { return bits_of(type) < 8; }

constexpr std::int64_t usual_group = 32;

void require_groups(const QuantOptions& o, DType type) {
  const std::string name = o.form.name();
  if (!o.form.traits().groups || o.form.from_qdq)
    throw Error(Code::usage,
                fmt::format("{}: the form '{}' has no weights in groups",
                            o.group ? fmt::format("--group {}", *o.group)
                                    : fmt::format("--weights {}", word_in(weight_types, type)),
                            name),
                "Use --format weights or matmulnbits.");
  if (word_in(grouped_types, type).empty())
    throw Error(
        Code::usage,
        fmt::format("--weights {}: there are no groups of that type", word_in(weight_types, type)),
        "Use u4, s4, u2, s2, u8 or s8.");
  if (o.granularity || o.reduce_range || o.weight_method != best_weight_method)
    throw Error(Code::usage,
                "weights in groups: --granularity, --reduce-range and --weight-method have no "
                "effect on them",
                "Leave them out; --effort says how their ranges are chosen.");
  if (o.selection.table && *o.selection.table != DType::undefined && !o.form.traits().always_groups)
    throw Error(Code::usage,
                fmt::format("--table {}: the form '{}' looks tables up in 8 bits per column",
                            word_in(grouped_types, *o.selection.table), name),
                "Leave it out, or use --format matmulnbits.");
  if (o.form.float16)
    throw Error(Code::usage, "--float16: does not go with weights in groups yet",
                "Export the model in float16: its scales are then float16 too.");
}

// Weights in groups, as the draft and the writers see them.
Target grouped(const QuantOptions& o, Target target) {
  const DType type =
      o.weights.value_or(o.form.traits().always_groups ? DType::u4 : target.weights.type);
  require_groups(o, type);
  target.weights = {type, is_signed_code(type), false, std::nullopt, o.group.value_or(usual_group)};
  // DequantizeLinear has blocks since then; operators of com.microsoft go with any opset.
  target.opset = o.form.traits().always_groups ? 1 : std::max(target.opset, wide_opset);
  if (o.opset) target.opset = std::max(target.opset, *o.opset);
  target = target_for(o.form, std::move(target));
  require_accepted(target, o.form.name());
  return target;
}

void require_no_groups(const QuantOptions& o) {
  if (!o.selection.weights_of.empty() || o.selection.head || o.selection.table)
    throw Error(Code::usage,
                "--weights-of, --head and --table choose among types of weights in groups",
                "Give --weights u4, or --group 32 with --weights u8, too.");
}

void require_effect(const QuantOptions& o) {
  if (o.input_range && !o.form.calibrated())
    throw Error(Code::usage, "--input-range: no range of an input is chosen here",
                "Leave it out, or use --format qdq or qoperator.");
  if (o.form.accuracy_level && o.form.form != OutputForm::matmulnbits)
    throw Error(Code::usage,
                fmt::format("--accuracy-level: the form '{}' has no MatMulNBits", o.form.name()),
                "Leave it out, or use --format matmulnbits.");
  if (o.never_zero && !o.form.calibrated())
    throw Error(Code::usage, "--no-zero-zero-points: no zero point of an activation is chosen here",
                "Leave it out, or use --format qdq or qoperator.");
  if (o.opset && o.form.from_qdq)
    throw Error(Code::usage, "--opset: a model that is quantized already keeps its opset",
                "Leave it out.");
}

}  // namespace

std::string target_name(const QuantOptions& o) {
  return o.target.empty() ? std::string(o.form.traits().target) : o.target;
}

Target effective_target(const QuantOptions& o) {
  require_consistent(o.form, {o.activations, o.symmetric});
  Target target = read_target(find_config(ConfigKind::target, target_name(o)));
  if (half_weights(o)) require_no_scales(o);
  require_effect(o);
  if (has_groups(o)) return grouped(o, std::move(target));
  require_no_groups(o);
  if (o.weights) target.weights.type = *o.weights;
  if (o.weights && !half_weights(o)) target.weights.symmetric = is_signed_code(*o.weights);
  if (o.activations) target.activations.type = *o.activations;
  if (o.granularity) target.per_channel = *o.granularity == Granularity::channel;
  if (o.symmetric) target.activations.symmetric = true;
  if (o.reduce_range) target.weights.reduce_range = true;
  if (o.never_zero) avoid_zero_points(target);
  if (o.opset) target.opset = std::max(target.opset, *o.opset);
  if (is_wide(target.activations.type) || is_wide(target.weights.type))
    target.opset = std::max(target.opset, wide_opset);
  target = target_for(o.form, std::move(target));
  if (o.form.from_qdq) return target;
  if (o.form.contrib) require_accepted(target, std::string(contrib_form));
  if (!(o.form.contrib && o.form.traits().codes)) require_accepted(target, o.form.name());
  return target;
}

bool has_groups(const QuantOptions& o) {
  return o.form.traits().always_groups || o.group || (o.weights && is_narrow(*o.weights));
}

WeightTypeRule parse_weight_type_rule(std::string_view text) {
  const std::size_t at = text.rfind('=');
  const auto type =
      at == std::string_view::npos ? std::nullopt : value_in(grouped_types, text.substr(at + 1));
  if (!type || at == 0)
    throw Error(Code::usage,
                fmt::format("--weights-of {}: expected REGEX=TYPE, TYPE one of u4, s4, u2, s2, u8, "
                            "s8, float",
                            text),
                "For example: --weights-of '.*down_proj.*=u8'.");
  return {std::string(text.substr(0, at)), *type};
}

Range parse_range(std::string_view text) {
  Range range{1, 0};
  const char* const last = text.data() + text.size();
  const auto lo = std::from_chars(text.data(), last, range.lo);
  if (lo.ec == std::errc() && lo.ptr != last && *lo.ptr == ',') {
    const auto hi = std::from_chars(lo.ptr + 1, last, range.hi);
    if (hi.ec != std::errc() || hi.ptr != last) range = {1, 0};
  }
  if (!(range.lo < range.hi) || !std::isfinite(range.lo) || !std::isfinite(range.hi))
    throw Error(Code::usage, fmt::format("--input-range {}: expected LO,HI with LO < HI", text),
                "For example: --input-range -1,1.");
  return range;
}

SelectOptions select_options(const QuantOptions& o, const Target& target, Method method,
                             std::size_t threads) {
  return {.method = std::move(method),
          .weights = parse_weight_method(o.weight_method),
          .min_range = target.min_range,
          .nonfinite = o.nonfinite,
          .unshare = target.engine != Engine::pairs,
          .data_quantized_later = o.form.traits().at_run_time,
          .threads = threads};
}

std::string known_methods() {
  std::string text;
  for (const SelectorDef& def : selectors())
    text += (text.empty() ? "" : ", ") + std::string(def.name);
  return text;
}

}  // namespace intaglio
