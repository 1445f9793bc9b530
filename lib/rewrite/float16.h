// The float16 writer: the float rest of a written model computes in half precision.
//
// Before:  DequantizeLinear -> Softmax -> y
// After:   DequantizeLinear -> Cast(float16) -> Softmax -> Cast(float) -> y
//
// Nodes that the plan marks (NodePlan::precision, lib/quant/draft_float16.h) read and make float16;
// their constants are stored so. A Cast stands where float32 meets float16: behind graph inputs and
// before graph outputs, which keep their types, around operators that stay float32, and between the
// float rest and Q/DQ pairs, which stay as runtimes look for them. Values between two marked nodes
// are not cast back and forth.
#pragma once

#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites a model that a writer made of the plan; leaves it alone when the plan marks nothing.
// Nodes that compute on codes after all (a Concat that the operator form leaves out, between two
// operators that it does not) lose their mark.
void write_float16(Model& model, Plan& plan);

}  // namespace intaglio
