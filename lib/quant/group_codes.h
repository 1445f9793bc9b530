// Whole weights in groups: from a tensor to packed codes, scales and zero points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/quant/group_method.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// A weight as a matrix of outputs and inputs: element (o, k, i) of (outer, inputs, inner) is the
// weight with which input k goes into output o * inner + i.
//   (K, N) with sums along axis 0: 1, K, N. (N, K), axis 1: N, K, 1. (V, D) as a table of rows, groups
//   along D: V, D, 1.
struct WeightMatrix {
  const Tensor& values;  // f32, f16 or bf16
  std::int64_t outer = 1, inputs = 0, inner = 1;
  std::int64_t outputs() const { return outer * inner; }
};
// axis: the one that is summed over, or along which groups lie.
WeightMatrix weight_matrix(const Tensor& values, int axis);

// How codes lie in the result.
enum class GroupLayout {
  // As DequantizeLinear of opset 21 wants a matrix (K, N) with blocks along axis 0: codes (K, N) of
  // the scheme's type, scales and zero points (groups, N).
  inputs_first,
  // As MatMulNBits of com.microsoft wants it: u8 (N, groups, group * bits / 8), lowest bits first;
  // scales (N, groups); zero points u8 (N, ceil(groups * bits / 8)), packed likewise.
  outputs_first,
};

struct GroupCodes {
  Tensor codes, scales;          // scales: of the weights' type
  Tensor zero_points;            // undefined: zero has the middle code
  double signal = 0, noise = 0;  // sums of squares: of the weights, of what rounding changed
};

// 10 log10(signal / noise), of sums of squares; nullopt: without noise.
std::optional<double> sqnr_db(double signal, double noise);

// Quantizes a weight by a method. Codes beyond the last input, which complete a group, are those of
// zero. Takes memory for the result and for a few panels a thread; pages of a mapped file are given
// back as they have been read. Throws Code::model naming the first NaN or infinity.
GroupCodes quantize_groups(const WeightMatrix& matrix, const Scheme& scheme,
                           const GroupMethod& method, GroupLayout layout, std::size_t threads);

}  // namespace intaglio
