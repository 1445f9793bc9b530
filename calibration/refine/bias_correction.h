// Bias correction: what quantization shifts in the mean of a layer's result goes into its bias.
//
// Behind each layer with a bias, before its activation, the difference of the float result y and
// the quantized twin's y' (lockstep.h) is averaged by output channel, over all samples and
// positions, and added to the bias:
//   d_c = sum m (y - y') / sum m,   b_c += d_c d_c^2 / (d_c^2 + e_c^2)
// with e_c the standard error of d_c from sample to sample: what the samples do not agree on is not
// the mean of others. (The factor is that of James and Stein's estimator, 1961, with the squared
// mean in place of its own expectation.)
// Later layers see the corrected values. m weighs a position by what the activation behind the
// layer lets through: 1 where the float result is in its active range, max(0.05, slope^2)
// elsewhere; for Sigmoid 1 within -4..4 and 0 elsewhere; 1 everywhere without an activation.
//
// (Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019,
// section 4.2, with the empirical means of the quantized network instead of the float one's.)
#pragma once

#include <string>
#include <vector>

#include "calibration/refine/lockstep.h"

namespace intaglio {

struct BiasCorrection {
  std::size_t corrected = 0;          // layers
  std::vector<std::string> left_out;  // layers whose bias could not be changed, with the reason
};

// Behind a step of the pair: corrects its node's bias, in the plan and in the twin. Nothing happens
// when the node has no bias of one value per channel.
void correct_bias(Lockstep& pair, std::size_t step, NodePlan& node, BiasCorrection& result);

// Adds the shifts of a plan to the biases of the prepared model that it is for. Throws Code::config
// when a shift does not fit its bias.
void apply_shifts(Model& model, const Plan& plan);

}  // namespace intaglio
