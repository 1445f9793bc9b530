// Weights in groups, as operators take them: the part of the weights writers for schemes with groups.
#pragma once

#include <map>
#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Codes that were stored, by the GroupCodes that they came from: what several nodes read is stored
// once.
struct StoredGroups {
  Value *codes = nullptr, *scales = nullptr;
  Value* zero_points = nullptr;  // null: zero has the middle code
};
using GroupStore = std::map<const GroupCodes*, StoredGroups>;

// Before:  MatMul(x, w), Gemm(x, w, c), MatMul(x, Transpose(w))
// After:   MatMul(x, DequantizeLinear <axis = 0, block_size = 32> (codes (K, N), scales, zero points))
// Each product has a DequantizeLinear of its own: onnxruntime 1.31 makes a MatMulNBits of a pair
// that is alone. Needs opset 21, types of 2 bits opset 25. The codes lie inputs_first.
void store_blocked(Node& node, const ConstantPlan& constant, GroupStore& store);

// Before:  as above, or Gather(table, ids)
// After:   com.microsoft.MatMulNBits(x, codes (N, groups, bytes), scales, zero points, , bias),
//          com.microsoft.GatherBlockQuantized(codes (V, bytes), ids, scales, zero points)
// A bias of a Gemm that is not (N) is added behind. The codes lie outputs_first.
// accuracy_level: of MatMulNBits; 0 leaves it out (products of floats), 4 lets the runtime round
// blocks of x to 8 bits, for which it has its fast kernels.
void store_matmul_nbits(Node& node, const ConstantPlan& constant, std::int64_t accuracy_level,
                        GroupStore& store);

}  // namespace intaglio
