// preview: what a network sees of the data, and what it answers, before anything is quantized.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/metrics.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/shown.h"

namespace intaglio {

struct PreviewSpec {
  std::string model;
  DataOptions data;  // its limit: that many samples are shown, spread evenly
  Arithmetic exact = Arithmetic::integer;
  MetricOptions metric;
};

struct PreviewResult {
  SourceFile model;
  DataSummary data;
  Shown shown;  // in the order of the data
  std::vector<std::string> warnings;
};

PreviewResult preview(const PreviewSpec& spec, Context& context);

}  // namespace intaglio
