// Why a layer is hard to quantize, and what helps, in one sentence each.
#pragma once

#include <string>

#include "calibration/sensitivity/sensitivity.h"

namespace intaglio {

// Goes by what was measured (weights or activations) and by where the layer stands in the graph.
// Empty: nothing to say.
std::string hint_for(const LayerSensitivity& layer);

}  // namespace intaglio
