#include "lib/passes/opset/rank.h"

#include <algorithm>

#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

int rank_at(const Value& value, int depth) {
  if (value.rank() >= 0) return value.rank();
  const Node* node = value.producer();
  if (node == nullptr || depth == 0 || node->input(0) == nullptr) return -1;
  const auto input_rank = [&](std::size_t i) {
    return node->input(i) != nullptr ? rank_at(*node->input(i), depth - 1) : -1;
  };
  const RankRule rule = traits_of(*node).rank;
  if (rule == RankRule::first_input) return input_rank(0);
  if (rule == RankRule::broadcast) {
    int highest = 0;
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const int rank = input_rank(i);
      if (rank < 0 || (rank < 2 && node->is("MatMul"))) return -1;
      highest = std::max(highest, rank);
    }
    return highest;
  }
  if (node->is("Transpose") && node->has("perm"))
    return static_cast<int>(node->attr_ints("perm").size());
  if (node->is("Reshape") && node->input(1) != nullptr && node->input(1)->rank() == 1)
    return static_cast<int>((*node->input(1)->dims())[0].value);  // -1 when not known
  if (node->is("Squeeze") || node->is("Unsqueeze")) {
    const Tensor axes = known_value(node->input(1));
    const auto count =
        axes.defined() ? static_cast<std::size_t>(axes.size()) : node->attr_ints("axes").size();
    const int rank = input_rank(0), change = static_cast<int>(count);
    if (rank < 0 || change == 0) return -1;
    return node->is("Squeeze") ? rank - change : rank + change;
  }
  return -1;
}

}  // namespace

int known_rank(const Value& value) {
  constexpr int depth = 16;  // of the search backwards: it branches, models do not need more
  return rank_at(value, depth);
}

Tensor known_value(const Value* value) {
  if (value == nullptr) return {};
  if (value->is_constant()) return value->constant();
  const Node* node = value->producer();
  if (node == nullptr || !node->is("Constant") || !node->has("value")) return {};
  return node->attr_tensor("value");
}

}  // namespace intaglio
