// The statistics that a command selects from: measured now, or read from a file.
#pragma once

#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/prepared.h"
#include "apps/refining.h"
#include "calibration/statistics_file.h"

namespace intaglio {

struct ObserveRequest {
  bool histograms = true;
  RefineSteps refine;     // those that come before
  Redraft redraft = {};   // how the plan was drafted, to do so again
  std::string like = {};  // a file of statistics: rebalance as it says; empty: none
  std::string calibration =
      {};  // a file of statistics to read instead of running the model; empty: none
};

struct Observed {
  StatisticsFile statistics;
  Json rebalanced;  // its part of the "refine" part of a report
  Json data;        // the "data" part of a report
};

// Rebalances the prepared model, runs the samples of data.data through it and measures the
// activations of the plan. Or reads the file, which must be for this model and hold them all
// (Code::data otherwise), and rebalances as it says. What the statistics speak against
// (calibration/unsuitable.h) stays float: the plan becomes a new draft. `warnings` receives samples
// left out.
Observed observe(Prepared& prepared, Plan& plan, const DataOptions& data,
                 const ObserveRequest& request, Context& context,
                 std::vector<std::string>& warnings);

}  // namespace intaglio
