#include "lib/rewrite/dynamic_lstm.h"

#include <algorithm>

#include "lib/quant/array.h"
#include "lib/rewrite/constants.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

// (directions, n, m) -> (directions, m, n)
Tensor transposed_by_direction(const Tensor& codes) {
  Tensor result(codes.dtype(), {codes.dim(0), codes.dim(2), codes.dim(1)});
  const std::int64_t size = codes.dim(1) * codes.dim(2);
  std::byte* out = result.raw_mutate();
  for (std::int64_t d = 0; d < codes.dim(0); ++d)
    for (std::int64_t i = 0; i < codes.dim(2); ++i)
      for (std::int64_t j = 0; j < codes.dim(1); ++j)
        *out++ = codes.raw()[d * size + j * codes.dim(2) + i];
  return result;
}

// The same values for each direction: (directions), or (directions, gates) per gate row.
Tensor for_directions(const Tensor& values, std::int64_t directions, bool by_row) {
  const std::int64_t count = values.size();
  Tensor result(values.dtype(), by_row ? Shape{directions, count} : Shape{directions});
  for (std::int64_t d = 0; d < directions; ++d)
    std::copy_n(values.raw(), values.bytes(),
                result.raw_mutate() + d * static_cast<std::int64_t>(values.bytes()));
  return result;
}

}  // namespace

void write_dynamic_lstm(Node& node, const NodePlan& plan) {
  Graph& graph = node.graph();
  for (const ConstantPlan& weight : plan.constants) {
    const Tensor codes = planned_codes(node, weight);
    const std::int64_t directions = codes.dim(0);
    const bool by_row = weight.params.axis.has_value();
    if (weight.input == 2 && !node.has("hidden_size")) node.set_attr("hidden_size", codes.dim(2));
    Value& old = *node.input(weight.input);
    graph.set_input(
        node, weight.input,
        &graph.add_constant(weight.name + "_quantized", transposed_by_direction(codes)));
    const std::size_t at = weight.input == 1 ? 8 : 10;
    graph.set_input(
        node, at,
        &graph.add_constant(weight.name + "_scale",
                            for_directions(scale_tensor(weight.params), directions, by_row)));
    graph.set_input(
        node, at + 1,
        &graph.add_constant(weight.name + "_zero_point",
                            for_directions(zero_point_tensor(weight.params), directions, by_row)));
    if (old.uses().empty() && !old.is_output()) graph.erase(old);
  }
  if (node.has("layout")) node.erase_attr("layout");
  node.set_op("DynamicQuantizeLSTM", "com.microsoft");
}

}  // namespace intaglio
