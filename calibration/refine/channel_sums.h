// The two loops that taking networks side by side spends its time in.
#pragma once

#include <vector>

#include "lib/quant/plan.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Which float results count how much: 1 in [lo, hi], `outside` elsewhere.
struct Weighing {
  float lo, hi, outside;
};

// Of one sample, by channel (axis 1): sums of m (y - twin), and of m.
struct ChannelSums {
  std::vector<double> shift, weight;
};

// y and twin: f32, of the same shape and layout. The order of additions does not depend on the
// processor.
ChannelSums channel_sums(const Tensor& y, const Tensor& twin, const Weighing& weighing);

void add_to_channels(Tensor& tensor, const std::vector<float>& by_channel);

// Every value becomes what its code stands for: dequantize(quantize(x)) with parameters for the
// whole tensor.
void round_to_codes(Tensor& tensor, const QParams& params, const Scheme& scheme);

}  // namespace intaglio
