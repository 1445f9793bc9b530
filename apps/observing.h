// The statistics that a command selects from: measured now, or read from a file.
#pragma once

#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/prepared.h"
#include "calibration/statistics_file.h"

namespace intaglio {

struct ObserveRequest {
  bool histograms = true;
  std::string
      calibration;  // a file of statistics to read instead of running the model; empty: none
};

struct Observed {
  StatisticsFile statistics;
  Json data;  // the "data" part of a report
};

// Runs the samples of data.data through the prepared model and measures the activations of the
// plan. Or reads the file, which must be for this model and hold them all (Code::data otherwise).
// `warnings` receives samples left out.
Observed observe(const Prepared& prepared, const Plan& plan, const DataOptions& data,
                 const ObserveRequest& request, Context& context,
                 std::vector<std::string>& warnings);

}  // namespace intaglio
