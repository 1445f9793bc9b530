// Saturating products: processors without VNNI multiply unsigned activations with signed weights in
// pairs and add the two products in a saturating 16-bit register (x86 vpmaddubsw: AVX2, AVX-512BW).
//
// With activations up to 255 nothing saturates when the positive and the negative codes of every
// pair hold 255 * (a + b) <= 32767, so when their magnitudes add up to at most 128. Pairs are
// neighbours along the summed axis, from an even start: input channels of one tap of a Conv,
// channels-last as ONNX Runtime's kernels run it, and rows of a matrix. Depthwise convolutions (one
// input channel per filter) are summed in 32 bits there and have none.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/qparams.h"

namespace intaglio {

inline constexpr int saturation_bound = 128;

struct Saturation {
  std::int64_t pairs = 0;  // in all
  std::int64_t over = 0;   // that could saturate
  std::vector<int> worst;  // by output channel: the largest sum of magnitudes of one sign
  std::int64_t channels_over() const;
};

// Of the codes of the weight of a Conv, Gemm or MatMul; s8, zero point 0. Empty for other
// operators, ranks and types.
Saturation saturation_of(const Node& node, const Tensor& codes);

// Raises the scales of the channels in which a pair could saturate, each just so far that none
// does, and returns how many were raised. With one scale for all channels it is that scale.
// `weights` are the real values, whose codes have the scheme.
int avoid_saturation(const Node& node, const Tensor& weights, const Scheme& scheme,
                     QParams& params);

}  // namespace intaglio
