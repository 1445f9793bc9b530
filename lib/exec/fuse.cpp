#include "lib/exec/fuse.h"

#include <algorithm>
#include <optional>

#include "lib/graph/readers.h"

namespace intaglio {
namespace {

bool same_shape(const Value& a, const Value& b) {
  if (!a.dims() || !b.dims() || a.dims()->size() != b.dims()->size()) return false;
  return std::ranges::equal(*a.dims(), *b.dims(), [](const Dim& x, const Dim& y) {
    return x.known() ? x.value == y.value : !x.symbol.empty() && x.symbol == y.symbol;
  });
}

bool lives_in(const Node& node, const Value& value) { return &node.graph() == &value.graph(); }

std::optional<Link> activation(const Value& value) {
  const Node* node = only_reader(&value);
  if (node == nullptr || node->input(0) != &value || !lives_in(*node, value)) return std::nullopt;
  const auto op = activation_of(*node);
  if (!op) return std::nullopt;
  return Link{*op, {node}, nullptr, node->output(0)};
}

std::optional<Link> addition(const Value& value) {
  const Node* node = only_reader(&value);
  if (node == nullptr || !node->is("Add") || !lives_in(*node, value)) return std::nullopt;
  const Value* other = node->input(node->input(0) == &value ? 1 : 0);
  if (other == nullptr || other->dtype() != DType::f32 || !same_shape(*other, value))
    return std::nullopt;
  return Link{{PostOp::Kind::add}, {node}, other, node->output(0)};
}

// x * g(x) with g one of Sigmoid and HardSigmoid.
std::optional<Link> gate(const Value& value, const std::function<bool(const Value&)>& observed) {
  if (value.uses().size() != 2 || value.is_output()) return std::nullopt;
  const Node *inner = value.uses()[0].node, *product = value.uses()[1].node;
  if (inner->is("Mul")) std::swap(inner, product);
  const bool hard = inner->is("HardSigmoid");
  if (!product->is("Mul") || !(hard || inner->is("Sigmoid")) || !lives_in(*inner, value) ||
      !lives_in(*product, value))
    return std::nullopt;
  const Value& gated = *inner->output(0);
  const bool both = (product->input(0) == &value && product->input(1) == &gated) ||
                    (product->input(1) == &value && product->input(0) == &gated);
  if (!both || only_reader(&gated) != product || observed(gated)) return std::nullopt;
  PostOp op{PostOp::Kind::swish};
  if (hard)
    op = {PostOp::Kind::hard_swish, inner->attr_float("alpha", 0.2f),
          inner->attr_float("beta", 0.5f)};
  return Link{op, {inner, product}, nullptr, product->output(0)};
}

}  // namespace

std::vector<Link> chain_behind(const Node& node,
                               const std::function<bool(const Value&)>& observed) {
  std::vector<Link> chain;
  const Value* value = node.output(0);
  while (value != nullptr && value->dtype() == DType::f32 && !observed(*value)) {
    std::optional<Link> next = activation(*value);
    if (!next) next = gate(*value, observed);
    if (!next) next = addition(*value);
    if (!next) break;
    value = next->result;
    chain.push_back(std::move(*next));
  }
  return chain;
}

}  // namespace intaglio
