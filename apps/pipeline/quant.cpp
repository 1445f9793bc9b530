#include "apps/pipeline/quant.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/configs.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

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
