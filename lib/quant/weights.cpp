#include "lib/quant/weights.h"

#include "lib/graph/ops.h"

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
  const int rank = node.input(1)->rank();
  if (node.is("Conv")) return 0;
  if (node.is("ConvTranspose")) return 1;
  if (node.is("Gemm")) return node.attr_int("transB", 0) != 0 ? 0 : 1;
  if (rank == 2) return 1;
  return std::nullopt;
}

bool computes_in_float(const Node& node) { return is_any(node, {"LSTM", "GRU", "RNN"}); }

std::vector<WeightInput> weight_inputs(const Node& node) {
  std::vector<WeightInput> found;
  if (is_any(node, {"Conv", "ConvTranspose", "Gemm", "MatMul"})) {
    if (is_weight(node.input(1))) found.push_back({1, channel_axis(node)});
    if (node.is("MatMul") && is_weight(node.input(0))) found.push_back({0, std::nullopt});
  } else if (computes_in_float(node)) {
    for (const std::size_t i : {1, 2})
      if (is_weight(node.input(i))) found.push_back({i, 1});
  } else if (node.is("Gather") && is_weight(node.input(0)) &&
             node.input(0)->constant().size() >= smallest_table) {
    found.push_back({0, column_axis(node)});
  }
  return found;
}

}  // namespace intaglio
