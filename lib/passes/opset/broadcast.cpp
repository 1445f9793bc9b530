// How operands were aligned before ONNX had numpy's broadcasting (opset 7), and Tile before
// opset 6.

#include <array>

#include "lib/passes/opset/rules.h"

namespace intaglio {
namespace {

// Input i gets `count` axes of length 1 behind its own. The new node has the form of opset 13.
void append_axes(Node& node, std::size_t i, int rank, int count) {
  Graph& graph = node.graph();
  std::vector<std::int64_t> axes;
  for (int k = 0; k < count; ++k) axes.push_back(rank + k);
  Value& old = *node.input(i);
  Value& aligned = graph.add_value(old.name() + "_aligned", old.dtype());
  graph.add_node("Unsqueeze", aligned.name(),
                 {&old, &constant_beside(node, "axes", Tensor::vector(axes))}, {&aligned});
  graph.set_input(node, i, &aligned);
}

// broadcast=1 aligned the axes of the second operand with those of the first from `axis` on;
// without an axis with the last ones, as numpy does. For Gemm it meant the same as today.
bool align_second_operand(Node& node) {
  if (node.attr_int("broadcast", 0) != 0 && node.has("axis")) {
    const int a = known_rank(*node.needed_input(0)), b = known_rank(*node.needed_input(1));
    if (a < 0 || b < 0) refuse(node, "the ranks that its axis attribute relates to are not known");
    const auto trailing = a - b - normalized_axis(node.attr_int("axis"), a);
    if (trailing < 0) refuse(node, "its second operand ends past the first");
    if (trailing > 0 && b > 0) append_axes(node, 1, b, static_cast<int>(trailing));
  }
  return drop_attrs(node, {"broadcast", "axis"});
}

// A slope with more than one element belonged to the channels, axis 1.
bool align_slope(Node& node) {
  const Value &x = *node.needed_input(0), &slope = *node.needed_input(1);
  const bool shared =
      slope.dims() && (slope.rank() == 0 || (slope.rank() == 1 && (*slope.dims())[0].value == 1));
  if (shared) return false;
  const int rank = known_rank(x), slope_rank = known_rank(slope);
  if (rank < 0 || slope_rank < 0) refuse(node, "the ranks of its inputs are not known");
  if (slope_rank != 1 || rank <= 2) return false;
  append_axes(node, 1, 1, rank - 2);
  return true;
}

// Tile (x, tiles, axis), both scalars -> Tile (x, repeats).
bool split_tile(Node& node) {
  const Tensor tiles = known_value(node.input(1)), axis = known_value(node.input(2));
  const int rank = known_rank(*node.needed_input(0));
  if (!tiles.defined() || !axis.defined() || rank < 0)
    refuse(node, "its tiles, its axis or the rank of its input are not known");
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(rank), 1);
  const auto at = normalized_axis(convert(axis, DType::s64).item<std::int64_t>(), rank);
  repeats[static_cast<std::size_t>(at)] = convert(tiles, DType::s64).item<std::int64_t>();
  node.graph().trim_inputs(node, 1);
  node.graph().set_input(node, 1, &constant_beside(node, "repeats", Tensor::vector(repeats)));
  return true;
}

constexpr std::array rules = {
    OpsetRule{"Tile", 6, split_tile},
    OpsetRule{"Add", 7, align_second_operand},
    OpsetRule{"And", 7, align_second_operand},
    OpsetRule{"Div", 7, align_second_operand},
    OpsetRule{"Equal", 7, align_second_operand},
    OpsetRule{"Greater", 7, align_second_operand},
    OpsetRule{"Less", 7, align_second_operand},
    OpsetRule{"Mul", 7, align_second_operand},
    OpsetRule{"Or", 7, align_second_operand},
    OpsetRule{"Pow", 7, align_second_operand},
    OpsetRule{"Sub", 7, align_second_operand},
    OpsetRule{"Xor", 7, align_second_operand},
    OpsetRule{"Gemm", 7, align_second_operand},
    OpsetRule{"PRelu", 7, align_slope},
};

}  // namespace

std::span<const OpsetRule> broadcast_rules() { return rules; }

}  // namespace intaglio
