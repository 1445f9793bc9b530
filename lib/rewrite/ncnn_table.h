// The calibration table that ncnn2int8 reads, from a plan.
//
//   conv1_param_0 1058.2 873.1 ...   one factor per output channel of the layer's weights
//   conv1 18.43                      one factor for its input
//
// A factor is what a real value is multiplied with: 127 / largest magnitude, the inverse of a scale
// (ncnn, tools/quantize/ncnn2table.cpp and ncnn2int8.cpp). Layers are named as the nodes are.
#pragma once

#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// The quantized Conv and Gemm nodes of the plan, in its order; weights first, as ncnn2table writes
// them.
std::string ncnn_table(const Plan& plan, const Graph& prepared);

}  // namespace intaglio
