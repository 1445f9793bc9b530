// Equal, Greater, Less, GreaterOrEqual, LessOrEqual: two operands of one type to booleans.
#include <functional>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename F>
std::unique_ptr<Kernel> make_compare(const Node& node) {
  return make_binary(node, [](const Tensor& a, const Tensor& b) {
    return visit_dtype(a.dtype(),
                       [&](auto zero) { return broadcast_map<decltype(zero), bool>(a, b, F{}); });
  });
}

Number equal(const Number& a, const Number& b) {
  const auto is_negative = [](const Number& n) { return n.value && *n.value < 0; };
  if (a.value && b.value) return {.value = *a.value == *b.value};
  if (!a.symbol.empty() && a.symbol == b.symbol) return {.value = 1};
  if ((a.length && is_negative(b)) || (b.length && is_negative(a))) return {.value = 0};
  return {};
}

void infer_equal(RuleContext& c) { rules::elementwise(c, DType::boolean, equal); }

}  // namespace

void register_compare(Registry& registry) {
  registry.add({.op = "Equal", .make = make_compare<std::equal_to<>>, .infer = infer_equal});
  registry.add({.op = "Greater", .make = make_compare<std::greater<>>, .infer = rules::compare});
  registry.add({.op = "Less", .make = make_compare<std::less<>>, .infer = rules::compare});
  registry.add({.op = "GreaterOrEqual",
                .make = make_compare<std::greater_equal<>>,
                .infer = rules::compare});
  registry.add(
      {.op = "LessOrEqual", .make = make_compare<std::less_equal<>>, .infer = rules::compare});
}

}  // namespace intaglio
