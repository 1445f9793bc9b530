// The weights writer: constants become codes behind DequantizeLinear, activations stay float.
//
// Before:  MatMul(x, w), Gather(table, ids)
// After:   MatMul(x, DequantizeLinear(w_int8)), Mul(Cast(Gather(table_int8, ids)), scale)
//
// Half precision (float16, bfloat16) has a Cast in the place of DequantizeLinear: Cast and Gather
// take these types in every runtime, and at load time runtimes fold the Cast of a constant. A
// smaller file for any runtime, without calibration. Weights in groups: lib/rewrite/blocked.h. A constant that several nodes share is stored
// once per node; shared_constants.h joins those that are equal.
#pragma once

#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites the prepared model that the plan was drafted for (draft_weights). Throws Code::config
// when the plan does not fit the model, and for 16-bit types before opset 21.
void write_weights(Model& model, const Plan& plan);

// The same with MatMulNBits and GatherBlockQuantized of com.microsoft for weights in groups
// (lib/rewrite/blocked.h).
void write_matmul_nbits(Model& model, const Plan& plan, std::int64_t accuracy_level);

// The weights of one node of the plan, none of them in groups.
void store_weights(Node& node, const NodePlan& plan);

// Throws Code::config when the plan has types that the opset of the model lacks.
void require_opset(const Model& model, const Plan& plan);

// The node that a plan speaks of, and the constant of that name that it reads there. Code::config
// when the model lacks it.
Node& planned_node(const Graph& graph, const NodePlan& plan);
const Tensor& planned_constant(const Node& node, std::size_t input, const std::string& name);

// What a constant of the node is stored as. Code::config when the plan's scales do not fit it.
Tensor planned_codes(const Node& node, const ConstantPlan& constant);

}  // namespace intaglio
