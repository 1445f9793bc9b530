// Q/DQ nodes that no runtime reads.
#pragma once

#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

struct Malformed {
  std::string reason, remedy;  // both empty: the node is sound
};

// Of a QuantizeLinear or DequantizeLinear, as far as its parameters are constant: scales that are
// 0, negative, NaN or infinite, or as many as the axis does not have; zero points of another type
// or number.
Malformed malformed(const Node& quantize_or_dequantize);

}  // namespace intaglio
