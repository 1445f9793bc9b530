// Shifts and scales by channel, taken up by the layers around a value.
#pragma once

#include <vector>

#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites the weights and biases of the layers that make and read the values, so that each holds
// x' = (x - shift) * scale and the network computes what it did:
//   made by:  w' = s_o w,    b' = s_o (b - m_o)
//   read by:  w' = w / s_i,  b' = b + sum w m_i
// Throws Code::config when a plan does not fit the model.
void apply_channels(Model& model, const std::vector<ChannelPlan>& channels);

}  // namespace intaglio
