// The parts of a report on what was done for accuracy: "refine", "groups".
#pragma once

#include "apps/pipeline/groups.h"
#include "apps/pipeline/refine.h"
#include "lib/base/json.h"

namespace intaglio {

Json refine_json(const RefineOptions& options, const RefineSteps& steps,
                 const RebalanceSummary& rebalanced, const RefineSummary& refined);

// How weights in groups were chosen; null: there are none.
Json groups_json(const GroupSummary* groups, const Scheme& weights);

}  // namespace intaglio
