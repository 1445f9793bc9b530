// What is to be quantized and how.
#pragma once

#include <string>

#include "apps/pipeline/form.h"
#include "calibration/ranges/select.h"
#include "lib/quant/draft.h"
#include "lib/quant/target.h"

namespace intaglio {

struct QuantOptions {
  std::string target = "onnxruntime";
  FormOptions form;
  std::string weights, activations, granularity;  // empty: the target's
  bool symmetric = false, reduce_range = false;
  std::string weight_method = "best", nonfinite = "ignore";
  Selection selection;
};
// The target with every override, as a draft sees it. Throws Code::usage for options that
// contradict each other.
Target effective_target(const QuantOptions& options);

// For one of the methods.
SelectOptions select_options(const QuantOptions& options, const Target& target, Method method,
                             std::size_t threads);

// "minmax, percentile, mse, entropy"
std::string known_methods();

}  // namespace intaglio
