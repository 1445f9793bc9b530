#include <array>

#include "lib/exec/infer.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

constexpr std::array passes = {
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

void collect(Graph& graph, std::vector<Graph*>& list) {
  list.push_back(&graph);
  for (Node* node : graph.nodes())
    for (const auto& [attr, nested] : node->nested_graphs()) collect(*nested, list);
}

}  // namespace

std::span<const Pass> preparation_passes() { return passes; }

std::vector<Graph*> all_graphs(Model& model) {
  std::vector<Graph*> list;
  collect(model.graph(), list);
  return list;
}

// Rounds, because one fold can enable another (Conv, BatchNormalization, Mul, Add; a Shape that is
// known once a Reshape is). Every rewrite removes something that no pass brings back, so the rounds
// end, and the last one, which changes nothing, begins with the inference of the final types.
std::vector<PassCount> prepare(Model& model, const PrepareOptions& options,
                               const std::function<void(std::string_view pass)>& after) {
  std::vector<PassCount> counts;
  for (const Pass& pass : passes) counts.push_back({pass.name, 0});
  for (bool changed = true; changed;) {
    changed = false;
    infer_types(model);
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const int rewrites = passes[i].run(model, options);
      model.graph().verify();
      if (after && rewrites > 0) after(passes[i].name);
      counts[i].rewrites += rewrites;
      changed |= rewrites > 0;
    }
  }
  return counts;
}

}  // namespace intaglio
