// com.microsoft: Gelu, BiasGelu, FastGelu and QuickGelu; a bias is added first
// (onnxruntime/docs/ContribOperators.md).
#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

constexpr auto gelu = [](auto x) {
  constexpr double root = 0.70710678118654752440;  // 1 / sqrt(2)
  using T = decltype(x);
  return T{0.5} * x * (1 + std::erf(x * static_cast<T>(root)));
};

constexpr auto fast_gelu = [](auto x) {
  constexpr double root = 0.79788456080286535588;  // sqrt(2 / pi)
  using T = decltype(x);
  return T{0.5} * x * (1 + std::tanh(static_cast<T>(root) * (x + T(0.044715) * x * x * x)));
};

template <typename F>
std::unique_ptr<Kernel> make_biased(const Node&) {
  return make_kernel([](KernelContext& c) {
    const Tensor &x = c.input(0), *bias = c.optional(1);
    c.set_output(0, visit_float(x.dtype(), [&](auto zero) {
                   using T = decltype(zero);
                   if (bias == nullptr) return map<T>(x, F{});
                   return broadcast_map<T>(x, *bias, [](auto v, auto b) { return F{}(v + b); });
                 }));
  });
}

std::unique_ptr<Kernel> make_quick_gelu(const Node& node) {
  return make_unary([alpha = node.attr_float("alpha", 1.702f)](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) {
      return map<decltype(zero)>(x, [alpha](auto v) { return v / (1 + std::exp(-alpha * v)); });
    });
  });
}

}  // namespace

void register_microsoft_gelu(Registry& registry) {
  constexpr std::string_view domain = "com.microsoft";
  registry.add(
      {.op = "Gelu", .domain = domain, .make = make_biased<decltype(gelu)>, .infer = rules::like});
  registry.add({.op = "BiasGelu",
                .domain = domain,
                .make = make_biased<decltype(gelu)>,
                .infer = rules::like});
  registry.add({.op = "FastGelu",
                .domain = domain,
                .make = make_biased<decltype(fast_gelu)>,
                .infer = rules::like});
  registry.add(
      {.op = "QuickGelu", .domain = domain, .make = make_quick_gelu, .infer = rules::like});
}

}  // namespace intaglio
