// Ranges of activations: what the method makes of what was seen, cut by what the graph knows.
#pragma once

#include <map>
#include <string>

#include "calibration/ranges/select.h"

namespace intaglio {

// What was measured of the values of a plan.
struct SeenValues {
  SeenValues(const Graph& measured, const Observations& made);

  const Graph& graph;
  const Observations& observations;
  std::map<std::string, std::string> states;  // state inputs that were zero: what feeds them

  // Of a state input that was zero: of what feeds it in the next run.
  const Statistics& of(const ActivationPlan& activation) const;
};

// Whether the values that pools make of it, which share its parameters, decide.
bool left_to_pools(const Plan& plan, const Graph& graph, const ActivationPlan& activation);

// Fills in the range of every activation by itself, with notes and warnings (see select()).
void choose_ranges(Plan& plan, const SeenValues& seen, const SelectOptions& options);

}  // namespace intaglio
