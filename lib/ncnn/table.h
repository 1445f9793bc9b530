// The calibration table that ncnn2int8 reads, of a network that holds the weights of the result.
//
//   conv_0_param_0 1058.2 873.1 ...   one factor for each output of the layer's weights, or each group
//   conv_0 18.43                      one factor for its input
//
// A factor is what a real value is multiplied with: 127 / largest magnitude, the inverse of a scale
// (ncnn, tools/quantize/ncnn2table.cpp and ncnn2int8.cpp).
#pragma once

#include <string>

#include "lib/ncnn/decide.h"

namespace intaglio {

// The layers that compute in integers, in the order of the network; weights first, as ncnn2table
// writes them. Throws Code::model for a network with the weights of the model given, which ncnn2int8
// would quantize by the scales of others.
std::string ncnn_table(const NcnnNetwork& network, const NcnnDecision& decision);

}  // namespace intaglio
