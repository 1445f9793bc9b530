// The "refine" part of a report.
#pragma once

#include "apps/pipeline/refine.h"
#include "lib/base/json.h"

namespace intaglio {

Json refine_json(const RefineOptions& options, const RefineSteps& steps,
                 const RebalanceSummary& rebalanced, const RefineSummary& refined);

}  // namespace intaglio
