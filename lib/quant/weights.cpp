#include "lib/quant/weights.h"

#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

constexpr std::int64_t smallest_table = 1024;  // elements; below, scales and a node cost more

bool is_weight(const Value* value) {
  return value != nullptr && value->is_constant() && value->constant().dtype() == DType::f32 &&
         value->constant().rank() >= 1 && value->constant().size() > 0;
}

// Looked-up rows keep the last axis, unless it is the one that is looked up.
std::optional<int> column_axis(const Node& gather) {
  const int rank = gather.input(0)->constant().rank();
  const std::int64_t axis = gather.attr_int("axis", 0);
  return (axis < 0 ? axis + rank : axis) != rank - 1 ? std::optional(rank - 1) : std::nullopt;
}

}  // namespace

std::optional<int> channel_axis(const Node& node) {
  const int axis = traits_of(node).channel_axis;
  if (node.is("MatMul") && node.input(1)->rank() != 2) return std::nullopt;
  return node.is("Gemm") && node.attr_int("transB", 0) != 0 ? 1 - axis : axis;
}

bool is_table(const Node& node) {
  return traits_of(node).weights == WeightKind::table && !weight_inputs(node).empty();
}

bool computes_in_float(const Node& node) { return traits_of(node).weights == WeightKind::gates; }

std::vector<WeightInput> weight_inputs(const Node& node) {
  std::vector<WeightInput> found;
  const WeightKind kind = traits_of(node).weights;
  if (kind == WeightKind::product) {
    if (is_weight(node.input(1))) found.push_back({1, channel_axis(node)});
    if (node.is("MatMul") && is_weight(node.input(0))) found.push_back({0, std::nullopt});
  } else if (kind == WeightKind::gates) {
    for (const std::size_t i : {1, 2})
      if (is_weight(node.input(i))) found.push_back({i, 1});
  } else if (kind == WeightKind::table && is_weight(node.input(0)) &&
             node.input(0)->constant().size() >= smallest_table) {
    found.push_back({0, column_axis(node)});
  }
  return found;
}

}  // namespace intaglio
