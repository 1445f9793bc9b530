// calibrate: statistics alone, to select ranges from later, or to merge.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/session.h"

namespace intaglio {

struct CalibrateSpec {
  std::string model;
  std::string like;  // a file of statistics to equalize channels as; empty: none
  DataOptions data;
  QuantOptions quant;
  RefineOptions refine;
};

struct CalibrateResult {
  Session session;
  Observed observed;  // its statistics are what there is to write
  std::vector<std::string> warnings;
};

// Throws Code::usage for a form that needs no calibration.
CalibrateResult calibrate(const CalibrateSpec& spec, Context& context);

}  // namespace intaglio
