// By what a result is compared with the float model.
#pragma once

#include <string>
#include <vector>

#include "lib/eval/metric.h"

namespace intaglio {

struct MetricOptions {
  std::vector<std::string> metrics;  // empty: by the shapes of the outputs
  std::string decoder{any_decoder};
  DetectOptions detect;
  std::int64_t blank = 0;
};
// Throws Code::usage for names that do not exist. gated: what gates, or an objective, need.
MetricRequest request_of(const MetricOptions& options, std::vector<Metric> gated, bool labels,
                         bool reference = true);

// Throws what planning throws, as far as the graph alone tells: before a long run.
void require_plannable(const MetricRequest& request, const Graph& graph);

}  // namespace intaglio
