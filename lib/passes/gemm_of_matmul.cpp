#include "lib/passes/gemm_of_matmul.h"

#include <algorithm>

#include "lib/exec/shape_rule.h"
#include "lib/graph/readers.h"

namespace intaglio {
namespace {

bool fits(const Dims& a, const Dims& b, const Dims& bias) {
  const Dim& columns = b[1];
  if (a.size() != 2)
    return bias.size() == 1 && same(bias[0], columns) && columns.known() && b[0].known() &&
           std::ranges::all_of(a, &Dim::known);
  if (bias.size() == 1) return same(bias[0], columns);
  if (bias.size() != 2) return false;
  return (bias[0].value == 1 && same(bias[1], columns)) ||
         (same(bias[0], a[0]) && (bias[1].value == 1 || same(bias[1], columns)));
}

}  // namespace

std::optional<GemmOfMatMul> gemm_of(const Node& matmul) {
  const Value *a = matmul.input(0), *b = matmul.input(1);
  Node* add = only_reader(matmul.output(0));
  if (!matmul.is("MatMul") || add == nullptr || !add->is("Add") ||
      &add->graph() != &matmul.graph() || a == nullptr || b == nullptr ||
      a->dtype() != DType::f32 || !a->dims() || !b->dims() || b->rank() != 2)
    return std::nullopt;
  const std::size_t at = add->input(0) == matmul.output(0) ? 1 : 0;
  Value* bias = add->input(at);
  if (bias == nullptr || !bias->dims() || !fits(*a->dims(), *b->dims(), *bias->dims()))
    return std::nullopt;
  return GemmOfMatMul{add, bias, at};
}

}  // namespace intaglio
