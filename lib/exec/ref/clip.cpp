// Clip: bounds are attributes before opset 11 and optional inputs since.
#include <limits>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// The upper bound wins when the bounds cross, as the specification says. NaN stays NaN.
template <typename T>
Tensor clip(const Tensor& x, Compute<T> lo, Compute<T> hi) {
  return map<T>(x, [lo, hi](auto v) {
    const auto raised = v < lo ? lo : v;
    return hi < raised ? hi : raised;
  });
}

std::unique_ptr<Kernel> make_clip_attributes(const Node& node) {
  const float lo = node.attr_float("min", std::numeric_limits<float>::lowest());
  const float hi = node.attr_float("max", std::numeric_limits<float>::max());
  return make_unary([lo, hi](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) { return clip<decltype(zero)>(x, lo, hi); });
  });
}

template <typename T>
Compute<T> bound(const Tensor* tensor, Compute<T> fallback) {
  return tensor == nullptr ? fallback : static_cast<Compute<T>>(tensor->item<T>());
}

std::unique_ptr<Kernel> make_clip(const Node&) {
  return make_kernel([](KernelContext& c) {
    c.set_output(
        0, visit_number(c.input(0).dtype(), [&](auto zero) {
          using T = decltype(zero);
          using Limits = std::numeric_limits<Compute<T>>;
          constexpr bool real = Limits::has_infinity;
          const auto lo = bound<T>(c.optional(1), real ? -Limits::infinity() : Limits::lowest());
          const auto hi = bound<T>(c.optional(2), real ? Limits::infinity() : Limits::max());
          return clip<T>(c.input(0), lo, hi);
        }));
  });
}

}  // namespace

void register_clip(Registry& registry) {
  registry.add({.op = "Clip", .since = 1, .make = make_clip_attributes, .infer = rules::like});
  registry.add({.op = "Clip", .since = 11, .make = make_clip, .infer = rules::like});
}

}  // namespace intaglio
