// Rebalancing: shift.h and equalization.h, chosen, applied and verified.
#pragma once

#include <string>
#include <vector>

#include "calibration/refine/channel_statistics.h"
#include "calibration/refine/equalization.h"
#include "calibration/refine/shift.h"
#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct RebalanceOptions {
  bool shift = true, equalization = true;
  std::size_t threads = 1;
};

struct Rebalanced {
  Shifts shifts;
  Equalization equalization;
  // Of the float outputs, relative to the largest value of each, after each step that changed
  // something.
  double shift_deviation = 0, equalization_deviation = 0;
  std::vector<std::string> undone;  // steps that moved the outputs too far, with how far
};

// Whether the graph has groups to rebalance at all.
bool rebalances(const Graph& graph);

inline constexpr double allowed_deviation = 1e-4;

// Rewrites the model and fills in plan.channels. The plan is a draft of the model. A step after
// which the float outputs of four samples are off by more than allowed_deviation is undone. Does
// not depend on threads.
Rebalanced rebalance(Model& model, Plan& plan, const Samples& samples,
                     const RebalanceOptions& options);

}  // namespace intaglio
