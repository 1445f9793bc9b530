// Softmax, LogSoftmax and Hardmax before opset 13 took their input as a matrix whose rows hold all
// axes from `axis` (1 by default) on; since then they work along one axis.

#include <fmt/format.h>

#include <array>
#include <optional>

#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

// The one axis whose length matters, -1 for the last: all others from `axis` on are known to be 1.
// nullopt: there are more, or they are not known.
std::optional<std::int64_t> only_axis(const Value& x, std::int64_t axis) {
  if (axis == -1) return -1;
  const std::int64_t rank = known_rank(x);
  if (rank < 0) return std::nullopt;
  std::vector<std::int64_t> longer;
  for (std::int64_t i = normalized_axis(axis, rank); i < rank; ++i)
    if (!x.dims() || (*x.dims())[static_cast<std::size_t>(i)].value != 1) longer.push_back(i);
  if (longer.size() > 1) return std::nullopt;
  return longer.empty() || longer[0] == rank - 1 ? -1 : longer[0];
}

bool single_axis_softmax(Node& node) {
  const std::int64_t axis = node.attr_int("axis", 1);
  if (node.output(0) == nullptr) return false;
  Value &x = *node.needed_input(0), &y = *node.needed_output(0);
  if (!x.dims()) x.set_type(x.dtype(), y.dims());  // it has the same shape
  if (const auto only = only_axis(x, axis)) {
    node.set_attr("axis", *only);
    return true;
  }
  // Flatten, work on the rows, and give the result the shape of x.
  Graph& graph = node.graph();
  const auto named = [&](const char* what) { return fmt::format("{}_{}", y.name(), what); };
  Value& rows = graph.add_value(named("rows"), x.dtype(), Dims(2));
  Value& result = graph.add_value(named("result"), x.dtype(), Dims(2));
  Value& shape = graph.add_value(named("shape"), DType::s64, Dims{{known_rank(x), {}}});
  graph.add_node("Flatten", rows.name(), {&x}, {&rows}).set_attr("axis", axis);
  graph.set_input(node, 0, &rows);
  node.set_attr("axis", std::int64_t{-1});
  graph.set_output(node, 0, result);
  graph.add_node("Shape", shape.name(), {&x}, {&shape});
  graph.add_node("Reshape", named("reshape"), {&result, &shape}, {&y});
  return true;
}

constexpr std::array rules = {
    OpsetRule{"Hardmax", 13, single_axis_softmax},
    OpsetRule{"LogSoftmax", 13, single_axis_softmax},
    OpsetRule{"Softmax", 13, single_axis_softmax},
};

}  // namespace

std::span<const OpsetRule> softmax_rules() { return rules; }

}  // namespace intaglio
