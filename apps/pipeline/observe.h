// The statistics that a command selects from: measured now, or read from a file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/refine.h"
#include "calibration/statistics/statistics_file.h"

namespace intaglio {

struct ObserveRequest {
  bool histograms = true;
  RefineSteps refine = {};  // those that come before
  Redraft redraft = {};     // how the plan was drafted, to do so again
  std::string like = {};    // a file of statistics: rebalance as it says; empty: none
  std::string calibration =
      {};  // a file of statistics to read instead of running the model; empty: none
};

struct Observed {
  StatisticsFile statistics;
  RebalanceSummary rebalanced;
  std::optional<DataSummary> data;  // nullopt: nothing was observed
};

// Rebalances the prepared model, runs the samples of data.data through it and measures the
// activations of the plan. Or reads the file, which must be for this model and hold them all
// (Code::data otherwise), and rebalances as it says. What the statistics speak against
// (calibration/ranges/unsuitable.h) stays float: the plan becomes a new draft. `warnings` receives samples
// left out.
Observed observe(Prepared& prepared, Plan& plan, const DataOptions& data,
                 const ObserveRequest& request, Context& context,
                 std::vector<std::string>& warnings);

}  // namespace intaglio
