// And, Or, Xor, Not: booleans.
#include <functional>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename F>
std::unique_ptr<Kernel> make_logical(const Node& node) {
  return make_binary(
      node, [](const Tensor& a, const Tensor& b) { return broadcast_map<bool>(a, b, F{}); });
}

std::unique_ptr<Kernel> make_not(const Node&) {
  return make_unary([](const Tensor& x) { return map<bool>(x, [](bool v) { return !v; }); });
}

}  // namespace

void register_logical(Registry& registry) {
  registry.add({.op = "And", .make = make_logical<std::logical_and<>>, .infer = rules::compare});
  registry.add({.op = "Or", .make = make_logical<std::logical_or<>>, .infer = rules::compare});
  registry.add({.op = "Xor", .make = make_logical<std::not_equal_to<>>, .infer = rules::compare});
  registry.add({.op = "Not", .make = make_not, .infer = rules::compare});
}

}  // namespace intaglio
