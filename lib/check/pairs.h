// What stands around a node of a Q/DQ graph, and whether a runtime that looks for
// DequantizeLinear - operator - QuantizeLinear runs it in integers.
#pragma once

#include <optional>
#include <string>

#include "lib/graph/graph.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/target.h"

namespace intaglio {

// Whether some result of the node is quantized.
bool makes_codes(const Node& node);

// The DequantizeLinear that makes the value; null: something else does.
const Node* dequantizer(const Value* value);
// The codes that it dequantizes were looked up in a constant: they are stored so to be small, and
// nothing computes on them.
bool dequantizes_table(const Node& conversion);

// A Mul, or the Sub before it, that makes numbers of codes which were looked up in a constant.
bool scales_table(const Node& node);

// Constants alone are dequantized, possibly cast behind that: weights are stored in integers, the
// arithmetic is float. Of a recurrent operator, which computes on floats, any of its constants.
bool has_quantized_weights_alone(const Node& node);
// The type of a constant that the node reads, itself or behind a Cast, if that is float16 or
// bfloat16; undefined: it reads none.
DType half_weights(const Node& node);

// Why the node is not between pairs as its role wants; nullopt: it is. The activation that is fused
// into a node belongs to it.
std::optional<FloatReason> refuse_pairs(const Node& node, const Target& target);

}  // namespace intaglio
