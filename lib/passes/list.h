// The passes, one file each, and what they share. prepare.cpp puts them in order.
#pragma once

#include <vector>

#include "lib/passes/pass.h"

namespace intaglio {

int functions_inlined(Model& model, const PrepareOptions&);
int default_inputs(Model& model, const PrepareOptions&);
int fp16_to_fp32(Model& model, const PrepareOptions&);
int opset_raised(Model& model, const PrepareOptions&);
int contrib_expanded(Model& model, const PrepareOptions&);
int constants_folded(Model& model, const PrepareOptions&);
int resize_axes(Model& model, const PrepareOptions&);
int identities_dropped(Model& model, const PrepareOptions&);
int divisions_inverted(Model& model, const PrepareOptions&);
int einsum_expanded(Model& model, const PrepareOptions&);
int gemm_factors_folded(Model& model, const PrepareOptions&);
int gemm_bias_spread(Model& model, const PrepareOptions&);
int bias_folded(Model& model, const PrepareOptions&);
int batchnorm_folded(Model& model, const PrepareOptions&);
int classifier_gemm(Model& model, const PrepareOptions&);
int pools_first(Model& model, const PrepareOptions&);
int dead_dropped(Model& model, const PrepareOptions&);

// The main graph and all nested ones, outer graphs before the graphs inside them.
std::vector<Graph*> all_graphs(Model& model);

}  // namespace intaglio
