// Equal constants are stored once.
//
// Before:  MatMul(x, DequantizeLinear(w_int8)), MatMul(y, DequantizeLinear(w_int8 again))
// After:   MatMul(x, DequantizeLinear(w_int8)), MatMul(y, DequantizeLinear(w_int8))
//
// Weights that alone are codes (data and result of the product are floats): the second product
// reads the first one's codes through a Slice of all rows, and keeps a scale of its own.
// onnxruntime 1.31 computes the Slice when it loads the model and then makes a MatMulNBits of each
// product, which it does only where nothing else reads codes and scale; the others dequantize their
// weights in every run, at a hundredth of the speed. Compilers that read pairs (Engine::pairs) want
// constants in front of a DequantizeLinear: there both read the codes as they are.
//
// Writers store what a node reads for that node alone, with the scheme that it needs, and exporters
// write out a weight that several layers share once for each. Every reader keeps a DequantizeLinear
// of its own: runtimes look for one that belongs to the operator behind it.
#pragma once

#include "lib/graph/graph.h"
#include "lib/quant/target.h"

namespace intaglio {

// Constants of 64 bytes and more with the same type, shape and bytes become the first of them,
// under its name. Those that a caller may feed or that leave the graph stay, as do those of nested
// graphs. Returns how many went.
int share_equal_constants(Graph& graph, Engine engine);

// Slices that take all of a constant go: what reads them reads the constant.
void drop_whole_slices(Graph& graph);

}  // namespace intaglio
