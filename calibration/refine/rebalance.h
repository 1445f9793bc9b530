// Rebalancing: shift.h, equalization.h and migration.h, chosen, applied and verified.
#pragma once

#include <string>
#include <vector>

#include "calibration/refine/channel_statistics.h"
#include "calibration/refine/equalization.h"
#include "calibration/refine/migration.h"
#include "calibration/refine/shift.h"
#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct RebalanceOptions {
  bool shift = true, equalization = true;
  bool migration = false;  // needs `redraft`
  Redraft redraft = {};    // null: without what changes the graph (migration, and scales of gates)
  std::size_t threads = 1;
  Progress progress = {};  // by sample
};

struct Rebalanced {
  Shifts shifts;
  Equalization equalization;
  Migration migration;
  // Of the float outputs, relative to the largest value of each, after each step that changed
  // something.
  double shift_deviation = 0, equalization_deviation = 0, migration_deviation = 0;
  std::map<std::string, std::string> left_float;  // of apply_channels()
  std::vector<std::string> undone;  // steps that moved the outputs too far, with how far
};

// Whether the graph has groups to rebalance at all.
bool rebalances(const Graph& graph);

inline constexpr double allowed_deviation = 1e-4;

// Rewrites the model and fills in plan.channels. The plan is a draft of the model; when nodes were
// added or hold scales it becomes a new draft, with what does not come from a draft kept. A step
// after which the float outputs of four samples are off by more than allowed_deviation is undone.
// Does not depend on threads.
Rebalanced rebalance(Model& model, Plan& plan, const Samples& samples,
                     const RebalanceOptions& options);

// Applies plan.channels to the model and returns what apply_channels() does. Where nodes were added
// or carriers hold scales, the plan becomes a new draft of the model, unless redraft is null.
std::map<std::string, std::string> take_channels(Model& model, Plan& plan, const Redraft& redraft);

}  // namespace intaglio
