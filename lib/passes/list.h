// The passes, one file each, and what they share. prepare.cpp puts them in order.
#pragma once

#include <vector>

#include "lib/passes/pass.h"

namespace intaglio {

int inline_calls(Model& model, const PrepareOptions&);
int fix_default_inputs(Model& model, const PrepareOptions&);
int widen_fp16(Model& model, const PrepareOptions&);
int raise_opset(Model& model, const PrepareOptions&);
int expand_contrib(Model& model, const PrepareOptions&);
int fold_constants(Model& model, const PrepareOptions&);
int name_resize_axes(Model& model, const PrepareOptions&);
int drop_identities(Model& model, const PrepareOptions&);
int invert_divisions(Model& model, const PrepareOptions&);
int expand_einsum(Model& model, const PrepareOptions&);
int fold_gemm_factors(Model& model, const PrepareOptions&);
int spread_gemm_bias(Model& model, const PrepareOptions&);
int fold_bias(Model& model, const PrepareOptions&);
int fold_batchnorm(Model& model, const PrepareOptions&);
int make_classifier_gemm(Model& model, const PrepareOptions&);
int hoist_pools(Model& model, const PrepareOptions&);
int drop_dead(Model& model, const PrepareOptions&);

// The main graph and all nested ones, outer graphs before the graphs inside them.
std::vector<Graph*> all_graphs(Model& model);

}  // namespace intaglio
