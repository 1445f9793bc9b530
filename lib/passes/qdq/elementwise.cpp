// fuse_qdq: operators that work value by value, and pools.
#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

struct Operands {
  std::vector<CodesRef> inputs;
  Tail tail;
};

// Inputs from `first` on and the result: bytes of one type, one scale each.
std::variant<Operands, FloatReason> match(const Node& node, std::size_t first,
                                          const IntegerOptions& options) {
  Operands found;
  for (std::size_t i = first; i < node.inputs().size(); ++i) {
    const auto codes = dequantized(node.input(i));
    if (!codes) return FloatReason(Why::input_float, fmt::format("input {} is not dequantized", i));
    if (!is_byte(codes->type))
      return FloatReason(fmt::format("codes of type {}", name_of(codes->type)));
    if (!codes->per_tensor()) return FloatReason(fmt::format("the scale of input {} varies", i));
    found.inputs.push_back(*codes);
  }
  auto tail = tail_of(node, options);
  if (auto* reason = std::get_if<FloatReason>(&tail)) return std::move(*reason);
  found.tail = std::get<Tail>(tail);
  for (const CodesRef& codes : found.inputs)
    if (codes.type != found.tail.codes.type)
      return FloatReason("its inputs and result have codes of different types");
  return found;
}

// The node becomes QLinear<op> with inputs before, the operands and those behind.
ClusterRefusal fuse(Node& node, std::size_t first, const IntegerOptions& options) {
  if (!options.microsoft) return "its integer form is not standard: allow it with `contrib`";
  const auto matched = match(node, first, options);
  if (const auto* reason = std::get_if<FloatReason>(&matched)) return *reason;
  const Operands& found = std::get<Operands>(matched);
  const OpTraits& traits = traits_of(node);
  const CodesRef& y = found.tail.codes;
  std::vector<Value*> inputs(node.inputs().begin(),
                             node.inputs().begin() + static_cast<std::ptrdiff_t>(first));
  if (traits.joins) inputs.insert(inputs.end(), {y.scale, y.zero});
  for (const CodesRef& codes : found.inputs) append(inputs, codes);
  if (!traits.joins) inputs.insert(inputs.end(), {y.scale, y.zero});
  exchange(node, traits.twin.op, traits.twin.domain, inputs, &found.tail);
  return std::nullopt;
}

}  // namespace

ClusterRefusal fuse_unary(Node& node, const IntegerOptions& options) {
  const auto dilations = node.attr_ints("dilations");
  if (std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; }))
    return "QLinearAveragePool has no dilations";
  const bool softmax = node.is("Softmax");
  const std::int64_t opset = node.opset();
  auto refusal = fuse(node, 0, options);
  if (softmax && !refusal) node.set_attr("opset", opset);
  return refusal;
}

ClusterRefusal fuse_binary(Node& node, const IntegerOptions& options) {
  return fuse(node, 0, options);
}
ClusterRefusal fuse_concat(Node& node, const IntegerOptions& options) {
  return fuse(node, 0, options);
}
ClusterRefusal fuse_where(Node& node, const IntegerOptions& options) {
  return fuse(node, 1, options);
}

}  // namespace intaglio
