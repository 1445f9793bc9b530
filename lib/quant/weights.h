// The weights of operators: which inputs they are, and along which axis they have channels.
#pragma once

#include <optional>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

struct WeightInput {
  std::size_t input = 0;
  std::optional<int> axis;  // of the output channels; nullopt: quantize per-tensor
};

// The channel axis of the weight of a Conv, ConvTranspose, Gemm or MatMul (its second input).
//   Conv (M, C/group, k...): 0. ConvTranspose (C, M/group, k...): 1, shared by the groups.
//   Gemm: 1, or 0 with transB. MatMul (K, N): 1; none for other ranks.
std::optional<int> channel_axis(const Node& node);

// The inputs of a node that hold constant float32 weights and that a runtime can take as codes
// behind a DequantizeLinear; empty when there are none.
//   Conv, ConvTranspose, Gemm, MatMul: the second input; of MatMul the first one too
//   LSTM, GRU, RNN: W and R, (directions, gates * hidden, n), per gate row
//   Gather: the table, when it has at least 1024 elements, per column. It is looked up in codes and
//   dequantized afterwards.
std::vector<WeightInput> weight_inputs(const Node& node);

// Whether it is a Gather that looks rows up in a large constant: the constant is stored in codes, its
// rows are dequantized when they are found.
bool is_table(const Node& node);

// Whether it computes on floats whatever becomes of its weights: LSTM, GRU, RNN.
bool computes_in_float(const Node& node);

}  // namespace intaglio
