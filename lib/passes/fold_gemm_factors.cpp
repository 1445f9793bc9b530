// fold_gemm_factors
//   Before: Gemm <alpha, beta> (A, B, C) with constant B or C
//   After:  Gemm (A, alpha * B, beta * C)
//   Why:    integer products have neither factor.
//   Kept:   alpha before a B, beta before a C that is no float32 constant.

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool fold(Node& gemm, std::size_t input, const char* factor) {
  Value* value = gemm.input(input);
  const float by = gemm.attr_float(factor, 1);
  if (value == nullptr && input == 2 && gemm.has(factor))
    return gemm.erase_attr(factor), true;  // of nothing
  if (value == nullptr || !value->is_constant() || value->constant().dtype() != DType::f32 ||
      by == 1)
    return false;
  Tensor scaled = value->constant();
  for (float& v : scaled.mutate<float>()) v *= by;
  Graph& graph = gemm.graph();
  graph.set_input(gemm, input, &graph.add_constant(value->name() + "_scaled", std::move(scaled)));
  gemm.erase_attr(factor);
  return true;
}

}  // namespace

int fold_gemm_factors(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes())
      if (node->is("Gemm")) rewrites += fold(*node, 1, "alpha") + fold(*node, 2, "beta");
  return rewrites;
}

}  // namespace intaglio
