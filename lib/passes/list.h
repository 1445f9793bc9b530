// The passes, one file each, in the order in which they run, and what they share.
#pragma once

#include <array>
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
int straighten_gemm(Model& model, const PrepareOptions&);
int fold_bias(Model& model, const PrepareOptions&);
int fold_batchnorm(Model& model, const PrepareOptions&);
int make_classifier_gemm(Model& model, const PrepareOptions&);
int hoist_pools(Model& model, const PrepareOptions&);
int drop_dead(Model& model, const PrepareOptions&);

// Order is meaning: each says why it stands where it does.
inline constexpr std::array passes = {
    // First: all others see operators only.
    Pass{"functions_inlined", "calls of model-local functions replaced by their nodes",
         inline_calls},
    // No later pass may touch a weight that the caller could override.
    Pass{"default_inputs", "inputs with a default value become constants", fix_default_inputs},
    // Before anything is computed, so that folded constants have float precision.
    Pass{"fp16_to_fp32", "half-precision weights and values widened to float", widen_fp16},
    // From here on there is one form of each operator to match.
    Pass{"opset_raised", "operators rewritten for a newer opset", raise_opset},
    // So that these forms are those of the standard operators, whoever joined them.
    Pass{"contrib_expanded", "operators that onnxruntime joined taken apart", expand_contrib},
    // Before constants are folded: weights are transposed once.
    Pass{"einsum_expanded", "Einsum of two factors becomes MatMul", expand_einsum},
    // Gives the folding passes below constants where exporters left arithmetic.
    Pass{"constants_folded", "what depends on constants alone computed now", fold_constants},
    // Once scales and sizes are constants.
    Pass{"resize_axes", "Resize along some axes rewritten to name them all", name_resize_axes},
    // Nothing may stand between a convolution and what is folded into it.
    Pass{"identities_dropped", "nodes that change nothing dropped", drop_identities},
    // Before constants are folded into weights, which takes a Mul as well as a Div.
    Pass{"divisions_inverted", "division by a constant behind a product becomes multiplication",
         invert_divisions},
    // Before anything is folded into weights: a factor in front of them would scale that too.
    Pass{"gemm_factors_folded", "alpha and beta of Gemm folded into its constants",
         fold_gemm_factors},
    // Once beta is in the constant. What is folded below looks for a bias of one value per output.
    Pass{"gemm_bias_spread", "biases of Gemm spread over its outputs, or added behind it",
         spread_gemm_bias},
    // Before weights have codes. Nothing else minds how they lie.
    Pass{"gemm_straightened", "weights of Gemm transposed, in place of its transB",
         straighten_gemm},
    // Before BatchNormalization: exporters write Conv, Add (its bias), BatchNormalization.
    Pass{"bias_folded", "constant per-channel Add, Sub, Mul, Div folded into weights", fold_bias},
    Pass{"batchnorm_folded", "BatchNormalization folded into weights", fold_batchnorm},
    // Once the convolution has its bias.
    Pass{"classifier_gemm", "convolutions that make scores of one pixel become Gemm",
         make_classifier_gemm},
    Pass{"pools_first", "MaxPool moved ahead of activations that run by themselves", hoist_pools},
    // Last: drops what the others left unread.
    Pass{"dead_dropped", "nodes and constants that nothing reads dropped", drop_dead},
};

// The main graph and all nested ones, outer graphs before the graphs inside them.
std::vector<Graph*> all_graphs(Model& model);

}  // namespace intaglio
