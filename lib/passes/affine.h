// Folding y = x * scale[c] + shift[c] over output channels c into the node that makes x, for the
// passes fold_batchnorm and fold_bias.
//
//   Conv, ConvTranspose:  W'[c] = W[c] * scale[c],  b'[c] = b[c] * scale[c] + shift[c]
//   Gemm:                 the columns of B and C, in the same way; beta is worked into C
//
// in double, rounded once at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

struct ChannelAffine {
  std::vector<double> scale, shift;  // one each per output channel
};

// The Conv, ConvTranspose or Gemm that makes x, if a function of x can be folded into it: its
// weights and bias are float constants, x is read in one place, in the same graph, and is no graph
// output. Otherwise nullptr.
Node* foldable_producer(const Value* x);

std::int64_t output_channels(const Node& producer);

// Removes `reader`, whose output 0 producer now makes. Weights that others read too are copied.
void fold_affine(Node& producer, const ChannelAffine& affine, Node& reader);

}  // namespace intaglio
