// The weights of com.microsoft.MatMulNBits, [N,K] in blocks along K, with 2, 4 or 8 bits, the first
// value in the lowest bits (onnxruntime/docs/ContribOperators.md).
#pragma once

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct NBits {
  std::int64_t n, k, bits, block;
  bool on_codes;  // accuracy level 4: data are rounded to 8 bits in blocks as well

  std::int64_t count() const { return (k + block - 1) / block; }        // blocks along K
  std::int64_t bytes() const { return block * bits / 8; }               // of a block
  std::int64_t zero_bytes() const { return (count() * bits + 7) / 8; }  // of a row
};

// Code::unsupported for bits and blocks that do not exist.
NBits read_nbits(const Node& node);

// Each block of a row of a, f32, rounded to what its 8-bit codes stand for: onnxruntime multiplies
// codes at accuracy level 4. The scale is the largest magnitude over 127, and the zero point 0.
Tensor rounded_by_block(const Tensor& a, const NBits& b);

}  // namespace intaglio
