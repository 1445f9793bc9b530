// Cast and CastLike. Floats become integers by truncation and stop at the limits of the type (the
// standard leaves overflow open); integers wrap. 8-bit floats saturate. Strings, and floats of 8
// bits that shall not saturate (saturate = 0), are refused.
#include <algorithm>
#include <cctype>

#include "lib/exec/elementwise.h"

namespace intaglio {
namespace {

// Two to a byte, the first in the low nibble; values wrap.
Tensor pack_nibbles(const Tensor& x, DType type) {
  const auto values = convert(x, DType::s32).to_vector<std::int32_t>();
  Tensor result(type, x.shape());
  std::byte* out = result.raw_mutate();
  std::fill_n(out, result.bytes(), std::byte{0});
  for (std::size_t i = 0; i < values.size(); ++i)
    out[i / 2] |= static_cast<std::byte>((values[i] & 15) << (i % 2 * 4));
  return result;
}

Tensor cast(const Tensor& x, DType type) {
  if (bits_of(type) == 0) refuse_type(type);
  if (x.dtype() == type) return x;
  return bits_of(type) == 4 ? pack_nibbles(x, type) : convert(x, type);
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
  if (is_float8(target_of(node))) return refuse_unsaturated(node);
  if (bits_of(target_of(node)) != 0) return std::nullopt;
  return "the target type is neither an integer of 4 to 64 bits, float8e4m3fn, float8e5m2, a float "
         "of 16 "
         "to 64 bits, nor bool";
}

std::unique_ptr<Kernel> make_cast(const Node& node) {
  return make_unary([type = target_of(node)](const Tensor& x) { return cast(x, type); });
}

std::unique_ptr<Kernel> make_cast_like(const Node&) {
  return make_kernel(
      [](KernelContext& c) { c.set_output(0, cast(c.input(0), c.input(1).dtype())); });
}

}  // namespace

void register_cast(Registry& registry) {
  registry.add({.op = "Cast", .refuse = refuse_cast, .make = make_cast});
  registry.add(
      {.op = "CastLike", .since = 15, .refuse = refuse_unsaturated, .make = make_cast_like});
}

}  // namespace intaglio
