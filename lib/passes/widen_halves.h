// float16 and bfloat16 arithmetic on float kernels.
//
//   Before: Conv of float16 values
//   After:  Cast(float) of its inputs -> Conv -> Cast(float16)
//
// Every kernel computes such operators in float and rounds the result once, so with `round` both
// give the same bits; the fast ones take floats alone. Without, nothing is rounded on the way into,
// between and out of such operators: ONNX Runtime runs those so on x86-64 that it has no float16
// kernels for, which are most. Constants are converted once. QuantizeLinear, DequantizeLinear and
// operators with nested graphs stay as they are.
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// True when a value of the graph, nested ones aside, is float16 or bfloat16.
bool has_halves(const Graph& graph);

// Rewrites the graph in place; its types must be inferred.
void widen_halves(Graph& graph, bool round);

}  // namespace intaglio
