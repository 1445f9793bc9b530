// What a plan keeps float, in the result too. A runtime matches operators between DequantizeLinear
// and QuantizeLinear and runs them on codes, whoever put the pairs there and why: an operator that
// was left float between two quantized ones would be among them, with weights of a float Conv
// rounded to int8 by the runtime itself.
//
// Before:  Conv(int8) -> Q -> DQ -> Add -> Q -> DQ -> Conv(int8)         the Add was to stay float
// After:   Conv(int8) -> Q -> DQ -> Max -> Add -> Q -> DQ -> Conv(int8)
//
// Max of one operand is that operand. No rule looks through it.
#pragma once

#include <set>

#include "lib/graph/model.h"

namespace intaglio {

// The same in front of what moves a float result of the graph about before it is quantized: the
// runtime would quantize the result itself.
//
// Puts a Max before each node outside `quantized` that ONNX Runtime's rules
// (lib/passes/qdq/fuse_qdq.h) would compute on codes, movers aside, whose results are the same.
// Returns how many.
std::size_t keep_float(Model& model, const std::set<const Node*>& quantized);

}  // namespace intaglio
