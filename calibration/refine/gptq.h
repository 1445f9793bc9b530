// Error-compensating rounding (rounding.h) of the layers of a network, one after the other.
#pragma once

#include <string>
#include <vector>

#include "calibration/refine/lockstep.h"

namespace intaglio {

struct WeightRounding {
  std::size_t layers = 0;
  double error_ratio = 1;  // geometric mean over layers: |X e|^2 over that of nearest codes
  std::vector<std::string>
      left_out;  // quantized weights that were rounded to the nearest, with the reason
};

// Before a step of the pair: chooses the codes of its node's weights from the twin's input, for the
// plan and the twin. Nothing happens when the node has no quantized weights.
void round_weights(Lockstep& pair, std::size_t step, NodePlan& node, WeightRounding& result);

// Gives the weights of the prepared model the values that the codes of its plan stand for. Throws
// Code::config when codes do not fit their constant.
void apply_codes(Model& model, const Plan& plan);

}  // namespace intaglio
