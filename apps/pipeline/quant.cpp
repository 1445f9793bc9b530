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

void require_effect(const QuantOptions& o) {
  if (o.input_range && !o.form.calibrated())
    throw Error(Code::usage, "--input-range: no range of an input is chosen here",
                "Leave it out, or use --format qdq or qoperator.");
  if (o.opset && o.form.from_qdq)
    throw Error(Code::usage, "--opset: a model that is quantized already keeps its opset",
                "Leave it out.");
}

}  // namespace

Target effective_target(const QuantOptions& o) {
  require_consistent(o.form, {o.activations, o.symmetric});
  Target target = read_target(find_config(ConfigKind::target, o.target));
  if (half_weights(o)) require_no_scales(o);
  require_effect(o);
  if (o.weights) target.weights.type = *o.weights;
  if (o.weights && !half_weights(o)) target.weights.symmetric = is_signed_code(*o.weights);
  if (o.activations) target.activations.type = *o.activations;
  if (o.granularity) target.per_channel = *o.granularity == Granularity::channel;
  if (o.symmetric) target.activations.symmetric = true;
  if (o.reduce_range) target.weights.reduce_range = true;
  if (o.opset) target.opset = std::max(target.opset, *o.opset);
  if (is_wide(target.activations.type) || is_wide(target.weights.type))
    target.opset = std::max(target.opset, wide_opset);
  target = target_for(o.form, std::move(target));
  if (o.form.from_qdq) return target;
  if (o.form.contrib) require_accepted(target, std::string(contrib_form));
  if (!(o.form.contrib && o.form.traits().codes)) require_accepted(target, o.form.name());
  return target;
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
