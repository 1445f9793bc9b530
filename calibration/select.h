// Selection: the numbers of a plan, from statistics and weights.
#pragma once

#include "calibration/observe.h"
#include "calibration/selectors/selector.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Fills in the parameters of every activation, constant and bias of the plan:
//  - an activation's range is what the method chose, joined over its sharing group; that of a model
//    input with few distinct values is widened a little where they would all be rounded by half a step;
//  - a weight's range is its exact min and max, per channel where the scheme says so, after which
//  the
//    bias guard (lib/quant/array.h) may raise a scale;
//  - a bias has scale s_x * s_w.
// min_range: see choose_qparams. Values that were never seen, or never finite, are quantized as
// dead and named in plan.warnings, as are NaN and infinities. Throws Code::model for a NaN in a
// weight.
void select(Plan& plan, const Graph& graph, const Observations& observations, const Method& method,
            double min_range = 0);

}  // namespace intaglio
