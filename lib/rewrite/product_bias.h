// What is added to a MatMul. ONNX Runtime (1.31, MatMulAddFusion) makes one Gemm of a MatMul and
// the Add that alone reads it, before it looks for operators on codes; a Gemm runs on codes with an
// int32 bias alone, so that with a float one both would run in float.
//
// Before:  MatMul(DQ(x), DQ(w_int8)) -> Add(b)
// After:   MatMul(DQ(x), DQ(w_int8)) -> Add(DQ(b_int32))       b constant, one value a column
//          MatMul(DQ(x), DQ(w_int8)) -> Sum(z)                 what else it would take for a bias
//
// b_int32 is in steps of x_scale * w_scale, as the sums are: nothing is lost. A Sum of two is an
// Add that no rule takes for a bias.
#pragma once

#include "lib/graph/model.h"

namespace intaglio {

// For each MatMul of two dequantized matrices. Returns how many were changed.
std::size_t keep_products_on_codes(Model& model);

}  // namespace intaglio
