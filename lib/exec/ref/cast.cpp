// Cast and CastLike. Floats become integers by truncation and stop at the limits of the type (the
// standard leaves overflow open); integers wrap. Small floats saturate. Strings, and small floats
// that shall not saturate (saturate = 0), are refused.
#include <algorithm>
#include <cctype>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Tensor cast(const Tensor& x, DType type) {
  if (bits_of(type) == 0) refuse_type(type);
  return convert(x, type);
}

// Before opset 6 the type was written as text.
DType target_of(const Node& node) {
  if (node.opset() >= 6) return static_cast<DType>(node.attr_int("to"));
  std::string name = node.attr_string("to");
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return dtype_named(name);
}

Refusal refuse_unsaturated(const Node& node) {
  if (node.attr_int("saturate", 1) != 0) return std::nullopt;
  return "8-bit floats that do not saturate (saturate = 0)";
}

Refusal refuse_cast(const Node& node) {
  const DType target = target_of(node);
  if (is_small_float(target) && !is_packed(target)) return refuse_unsaturated(node);
  if (bits_of(target) != 0) return std::nullopt;
  return "the target type is neither an integer of 2 to 64 bits, float4e2m1, float8e4m3fn, "
         "float8e5m2, a float of 16 to 64 bits, nor bool";
}

std::unique_ptr<Kernel> make_cast(const Node& node) {
  return make_unary([type = target_of(node)](const Tensor& x) { return cast(x, type); });
}

std::unique_ptr<Kernel> make_cast_like(const Node&) {
  return make_kernel(
      [](KernelContext& c) { c.set_output(0, cast(c.input(0), c.input(1).dtype())); });
}

void infer_cast(RuleContext& c) {
  rules::shaped(c, target_of(c.node()));
  if (const auto numbers = c.numbers(0)) c.set_numbers(0, *numbers);
}

void infer_cast_like(RuleContext& c) { rules::shaped(c, c.dtype(1)); }

}  // namespace

void register_cast(Registry& registry) {
  registry.add({.op = "Cast", .refuse = refuse_cast, .make = make_cast, .infer = infer_cast});
  registry.add({.op = "CastLike",
                .since = 15,
                .refuse = refuse_unsaturated,
                .make = make_cast_like,
                .infer = infer_cast_like});
}

}  // namespace intaglio
