// The HTML report of quantize and compare: one file that needs nothing else.
//
// It is drawn from the JSON report, and from what the report leaves out: the histograms of the
// activations and the ranges of the channels of the weights. Nothing in it depends on time, threads
// or machine: "run" stays in the JSON. The page opens no connection (its content security policy
// forbids them), and without scripts it lacks only the sorting of its tables.
#pragma once

#include <string>

#include "apps/pipeline/shown.h"
#include "calibration/statistics/statistics.h"
#include "lib/base/json.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio::html {

inline const Shown nothing_shown;

struct PageSource {
  const Json& report;                  // intaglio.report/1 or intaglio.compare/1
  const Observations& observations;    // values without a histogram get no drawing
  const Graph& prepared;               // holds the weights of the plan
  const Plan& plan;                    // the one that was written; in a comparison the best one
  const Shown& shown = nothing_shown;  // the samples that lost most
};

std::string page(const PageSource& source);

}  // namespace intaglio::html
