// The stages of quantize, in order. Each takes what the ones before it made and cannot reach back.
#pragma once

#include <optional>
#include <string>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/gates.h"
#include "apps/keep_options.h"
#include "apps/metric_options.h"
#include "apps/quant_options.h"
#include "apps/refining.h"

namespace intaglio {

struct QuantizeOptions {
  std::string model, output, report, html, save_plan, plan, calibration;
  DataOptions data;
  std::vector<std::string> eval_data;
  std::optional<std::size_t> eval_limit;  // samples to compare on; 0: none
  QuantOptions quant;
  std::string method = "mse";
  std::string exact = "integer";  // how the result is evaluated
  bool json = false, dry_run = false;
  bool strip = false;  // leave the notes of exporters out
  RefineOptions refine;
  KeepOptions keep;
  MetricOptions metric;
  Gates gates;
};

void quantize(const QuantizeOptions& options, Context& context);

}  // namespace intaglio
