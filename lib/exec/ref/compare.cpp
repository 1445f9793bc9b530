// Equal, Greater, Less, GreaterOrEqual, LessOrEqual: two operands of one type to booleans.
#include <functional>

#include "lib/exec/elementwise.h"

namespace intaglio {
namespace {

template <typename F>
std::unique_ptr<Kernel> make_compare(const Node& node) {
  return make_binary(node, [](const Tensor& a, const Tensor& b) {
    return visit_dtype(a.dtype(),
                       [&](auto zero) { return broadcast_map<decltype(zero), bool>(a, b, F{}); });
  });
}

}  // namespace

void register_compare(Registry& registry) {
  registry.add({.op = "Equal", .make = make_compare<std::equal_to<>>});
  registry.add({.op = "Greater", .make = make_compare<std::greater<>>});
  registry.add({.op = "Less", .make = make_compare<std::less<>>});
  registry.add({.op = "GreaterOrEqual", .make = make_compare<std::greater_equal<>>});
  registry.add({.op = "LessOrEqual", .make = make_compare<std::less_equal<>>});
}

}  // namespace intaglio
