// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitShift: integers.
#include <functional>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename F>
std::unique_ptr<Kernel> make_bitwise(const Node& node) {
  return make_binary(node, [](const Tensor& a, const Tensor& b) {
    return visit_integer(a.dtype(),
                         [&](auto zero) { return broadcast_map<decltype(zero)>(a, b, F{}); });
  });
}

std::unique_ptr<Kernel> make_not(const Node&) {
  return make_unary([](const Tensor& x) {
    return visit_integer(x.dtype(),
                         [&](auto zero) { return map<decltype(zero)>(x, std::bit_not<>{}); });
  });
}

// Shifting by the width or more leaves nothing.
std::unique_ptr<Kernel> make_shift(const Node& node) {
  const std::string direction = node.attr_string("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    throw Error(Code::model, fmt::format("direction is '{}', not LEFT or RIGHT", direction));
  return make_binary(node, [left = direction == "LEFT"](const Tensor& a, const Tensor& b) {
    return visit_integer(a.dtype(), [&](auto zero) {
      return broadcast_map<decltype(zero)>(a, b, [left](auto x, auto n) {
        const auto bits = static_cast<std::uint64_t>(x), by = static_cast<std::uint64_t>(n);
        return by >= sizeof(x) * 8 ? 0 : left ? bits << by : bits >> by;
      });
    });
  });
}

}  // namespace

void register_bitwise(Registry& registry) {
  registry.add(
      {.op = "BitwiseAnd", .make = make_bitwise<std::bit_and<>>, .infer = rules::broadcast});
  registry.add({.op = "BitwiseOr", .make = make_bitwise<std::bit_or<>>, .infer = rules::broadcast});
  registry.add(
      {.op = "BitwiseXor", .make = make_bitwise<std::bit_xor<>>, .infer = rules::broadcast});
  registry.add({.op = "BitwiseNot", .make = make_not, .infer = rules::like});
  registry.add({.op = "BitShift", .make = make_shift, .infer = rules::broadcast});
}

}  // namespace intaglio
