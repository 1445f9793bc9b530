// The options that say by what the result is compared with the float model.
#pragma once

#include "apps/pipeline/metrics.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_metric_options(CLI::App& command, MetricOptions& options);

}  // namespace intaglio
