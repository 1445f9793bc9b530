// The Gemm that ONNX Runtime (1.31, MatMulAddFusion) makes of a MatMul and an Add.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/graph/graph.h"

namespace intaglio {

struct GemmOfMatMul {
  Node* add = nullptr;
  Value* bias = nullptr;  // what is added
  std::size_t bias_input = 0;
};

// nullopt: both stay as they are. They become one when the Add alone reads the product, which is no
// graph output; the second matrix has rank 2; and what is added has the shape
//  - [N], of a first matrix of rank 2 or of any other rank with all axes known; or
//  - [1,N], [M,1] or [M,N] of a first matrix [M,K], axes of one length or of one name.
// Types must be inferred.
std::optional<GemmOfMatMul> gemm_of(const Node& matmul);

}  // namespace intaglio
