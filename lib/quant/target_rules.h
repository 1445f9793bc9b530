// The numbers of a plan made to fit a target, after they were chosen from ranges:
//  - outputs for which the runtime assumes scale and zero point get those (rule `fixed_output`);
//  - outputs of 8 bits get the smallest scale that the kernel computes right (rule `min_scale`);
//  - scales become powers of two, the next one upwards, so that nothing is clipped that was not
//  (`scales`);
//  - weights are made smaller where a pair of products could saturate (`saturating`).
// Biases follow: their scale is the product of the others.
#pragma once

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// graph: the prepared one that the plan was drafted for. What was changed is noted in the plan.
void apply_target_rules(Plan& plan, const Graph& graph, const Target& target);

}  // namespace intaglio
