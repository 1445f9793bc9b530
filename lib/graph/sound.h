// What no operator may look like, whatever runs it: found before anything divides by it.
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// Throws Code::model, with the node, its attribute or constant and the rule, for
// - more outputs than the operator has;
// - a group count, stride, dilation, kernel, block or hidden size that is not positive;
// - constant filters of a convolution that have no spatial axis, no elements, or do not split into
//   the groups, and constant matrices of a Gemm that are none.
// Nested graphs included. What depends on shapes of the run is found when the model runs.
void require_sound(const Graph& graph);

}  // namespace intaglio
