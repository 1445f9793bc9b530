// Cross-layer equalization from the ranges of activations.
//
// Channels of one tensor share a scale, so that those with a small range keep few levels. Scaling
// them up by s_c, in the layers that make them, and down again in those that read them changes
// nothing in float and gives every channel its levels. For a group of values (channel_groups.h):
//   a_c = max over the group's tensors of range_c / max_c(range),  s_c = a_c ^ -alpha
// with the alpha of 0, 1/4, 1/2, 3/4, 1 of the least noise behind the layers that read the group:
//   step_x^2 / 12 sum_c |w_:c|^2 / s_c^2  +  8 sum_o step_o^2 / 12 sum_c s_c^2 E[x_c^2] K
// (noise of the rounded input, and of the rounded weights, which is systematic where the former
// averages out; steps are those that ranges and weights have after scaling, K the kernel's
// positions. Ranges end at usual_min and usual_max, channel_statistics.h: outliers of one channel
// would outvote what the others need, and are cut off later.) Bounds of a Clip inside the group
// limit its channels' scales; a group whose noise would not fall by 5 % is left alone. Through a
// gate (gate.h) scales pass at the price of a Mul, which pays when at most a fifth of the noise is
// left; what a gate reads counts from -0.28 up.
//
// (The idea: Nagel et al., "Data-free quantization through weight equalization and bias
// correction", 2019; activation ranges with a searched exponent: Xiao et al., "SmoothQuant", 2022.)
#pragma once

#include <string>
#include <vector>

#include "calibration/refine/channel_groups.h"
#include "calibration/refine/channel_statistics.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct GroupEqualization {
  std::string value;  // the first of the group
  std::size_t channels = 0;
  double alpha = 0;        // 0: left as it was
  double noise_ratio = 1;  // predicted noise over that without equalization
  std::size_t gates = 0;   // that need a Mul
};

struct Equalization {
  std::vector<ChannelPlan> channels;  // with scales alone
  std::vector<GroupEqualization> groups;
};

// How noise is weighed, and how much of it a change may leave at most.
struct NoiseModel {
  double weights = 8;        // what noise of weights counts more than that of activations
  double worthwhile = 0.95;  // of the noise before
  double gated = 0.2;        // the same, for groups with gates
};

// measured: every value of the plan's activations and every result of a Clip in the groups. Values
// that were not measured have no say.
Equalization choose_scales(const std::vector<ChannelGroup>& groups,
                           const ChannelMeasurements& measured, const Plan& plan,
                           const NoiseModel& model = {});

}  // namespace intaglio
