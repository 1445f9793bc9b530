// straighten_gemm
//   Before: Gemm (A, B of [N,K]; transB = 1) with a constant B that such nodes alone read
//   After:  Gemm (A, B of [K,N])
//   Why:    of weights behind a DequantizeLinear with a scale for each of N columns, runtimes read
//           this form alone right, or fast: onnxruntime 1.31 makes a MatMulNBits of it and leaves
//           the other as it is, MNN 3.6 computes the other wrong.
//   Kept:   all, unless the form of the output asks for it (PrepareOptions::straight_gemm).

#include <algorithm>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool reads_transposed(const Use& use) {
  return use.node->is("Gemm") && use.index == 1 && use.node->attr_int("transB", 0) != 0;
}

Tensor transposed(const Tensor& b) {
  const std::int64_t rows = b.dim(0), columns = b.dim(1);
  Tensor result(DType::f32, {columns, rows});
  const auto from = b.data<float>();
  const auto to = result.mutate<float>();
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      to[static_cast<std::size_t>(c * rows + r)] = from[static_cast<std::size_t>(r * columns + c)];
  return result;
}

}  // namespace

int straighten_gemm(Model& model, const PrepareOptions& options) {
  if (!options.straight_gemm) return 0;
  int rewrites = 0;
  for (Value* value : model.graph().values()) {
    if (!value->is_constant() || value->dtype() != DType::f32 || value->constant().rank() != 2 ||
        value->is_input() || value->is_output() || value->uses().empty() ||
        !std::ranges::all_of(value->uses(), reads_transposed))
      continue;
    const std::vector<Use> uses(value->uses().begin(), value->uses().end());
    value->set_constant(transposed(value->constant()));
    for (const Use& use : uses) use.node->set_attr("transB", std::int64_t{0});
    rewrites += static_cast<int>(uses.size());
  }
  return rewrites;
}

}  // namespace intaglio
