// What a node costs: products and sums of its tensors.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/graph/graph.h"

namespace intaglio {

// The number of elements of a value; axes that are not known count as 1 (a batch of one). nullopt
// when not even the rank is known, or no memory would hold them.
std::optional<std::int64_t> elements_of(const Value& value);

// Multiplications and additions of one run of a Conv, ConvTranspose, Gemm or MatMul, of their
// integer forms, and of LSTM (also DynamicQuantizeLSTM), GRU and RNN; 0 for other operators.
// nullopt: shapes are not known. The graph must have its types inferred.
std::optional<std::int64_t> macs_of(const Node& node);

}  // namespace intaglio
