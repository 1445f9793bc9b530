// Sums of products that leave int32.
//
// Kernels add the products of codes and the bias in 32 bits and wrap around. The sum that they end
// with is known beforehand: with P and N the sums of the positive and the negative codes of an
// output's weights (zero point subtracted), and data codes that reach from -a to b (theirs
// subtracted), it lies between -(P a + N b) and P b + N a, beside the bias. With 8 bits this
// reaches 2^31 at 66 000 products of the largest codes.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/graph/graph.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// How far the codes of the data reach below and above their zero point.
struct DataReach {
  std::int64_t below = 255, above = 255;
};
// Of 8-bit codes with a zero point; of those that are quantized while the model runs, any zero
// point may come, so that both are 255.
DataReach reach_of(const QParams& data);

struct SumBias {
  const Tensor* values = nullptr;  // one for each output; null: none
  float input_scale = 1;  // the scale of the data, which with that of the weights is its own
};

struct RaisedSums {
  int scales = 0;             // that were raised
  double factor = 1;          // the largest
  std::int64_t products = 0;  // that make one sum
};

// Raises the scales of the weights of a Conv, Gemm or MatMul (its second input) just so far that no
// sum leaves int32, with 1/64 of it to spare for what later moves codes and biases a little. Other
// nodes, types of 16 bits and sums that cannot leave it are left alone.
RaisedSums avoid_overflow(const Node& node, const Tensor& weights, const Scheme& scheme,
                          const DataReach& data, const SumBias& bias, QParams& params);

}  // namespace intaglio
