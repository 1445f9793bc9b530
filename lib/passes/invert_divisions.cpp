// invert_divisions
//   Before: y = Div(Mul(x, Clip(x + 3, 0, 6)), 6)      a HardSwish in single operators
//   After:  y = Mul(Mul(x, Clip(x + 3, 0, 6)), 1 / 6)
//   Why:    targets that multiply codes seldom divide them: each such Div stood in float between
//           two conversions. Results differ by half a unit in the last place.
//   Kept:   divisors that are no float constants, or whose reciprocal is infinite or subnormal,
//           and dividends that neither a Mul nor a Clip or Relu makes (Div by the square root of
//           2 is how runtimes know a Gelu).
#include <algorithm>
#include <cmath>

#include "lib/graph/op_traits.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool is_clipped_or_product(const Value* value) {
  const Node* maker = value != nullptr ? value->producer() : nullptr;
  return maker != nullptr && (maker->is("Mul") || traits_of(*maker).clips);
}

bool invert(Node& node) {
  Value* divisor = node.input(1);
  if (!node.is("Div") || !is_clipped_or_product(node.input(0)) || divisor == nullptr ||
      !divisor->is_constant() || divisor->constant().dtype() != DType::f32)
    return false;
  Tensor reciprocal = divisor->constant();
  for (float& v : reciprocal.mutate<float>()) v = 1.0f / v;
  if (!std::ranges::all_of(reciprocal.data<float>(), [](float v) { return std::isnormal(v); }))
    return false;
  Graph& graph = node.graph();
  graph.set_input(node, 1,
                  &graph.add_constant(divisor->name() + "_inverse", std::move(reciprocal)));
  node.set_op("Mul");
  return true;
}

}  // namespace

int invert_divisions(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes()) rewrites += invert(*node);
  return rewrites;
}

}  // namespace intaglio
