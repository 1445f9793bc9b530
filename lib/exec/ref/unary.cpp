// Operators of one operand without parameters. Those with parameters are in activation.cpp and
// clip.cpp.
#include <algorithm>
#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Each function is a type of its own: make() is a plain function pointer and the loop can inline
// it.
template <typename F>
std::unique_ptr<Kernel> make_float(const Node&) {
  return make_unary([](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) { return map<decltype(zero)>(x, F{}); });
  });
}

template <typename F>
std::unique_ptr<Kernel> make_number(const Node&) {
  return make_unary([](const Tensor& x) {
    return visit_number(x.dtype(), [&](auto zero) { return map<decltype(zero)>(x, F{}); });
  });
}

template <typename F>
void add_float(Registry& registry, std::string_view op, F) {
  registry.add({.op = op, .make = make_float<F>, .infer = rules::like});
}

template <typename F>
void add_number(Registry& registry, std::string_view op, F) {
  registry.add({.op = op, .make = make_number<F>, .infer = rules::like});
}

// log(1 + e^x) without overflow.
constexpr auto softplus = [](auto x) {
  return std::max(x, decltype(x){0}) + std::log1p(std::exp(-std::abs(x)));
};

// x * tanh(softplus(x)), which is x * n / (n + 2) with n = e^x * (e^x + 2); the ratio is 1 from 20
// on.
constexpr auto mish = [](auto x) {
  const auto e = std::exp(x < 20 ? x : decltype(x){20});
  const auto n = e * (e + 2);
  return x * (n / (n + 2));
};

// 0 - x in unsigned arithmetic: the negative of the least integer wraps as it does in numpy.
constexpr auto negate = [](auto x) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(0 - static_cast<std::uint64_t>(x));
  } else {
    return -x;
  }
};

constexpr auto absolute = [](auto x) {
  if constexpr (std::is_floating_point_v<decltype(x)>) {
    return std::abs(x);
  } else {
    return x < 0 ? negate(x) : x;
  }
};

}  // namespace

void register_unary(Registry& registry) {
  add_number(registry, "Abs", absolute);
  add_number(registry, "Neg", negate);
  add_number(registry, "Sign", [](auto x) {
    return x > 0 ? decltype(x){1} : x < 0 ? static_cast<decltype(x)>(-1) : x;  // NaN and -0 stay
  });
  add_number(registry, "Relu", [](auto x) { return x < 0 ? decltype(x){0} : x; });

  add_float(registry, "Exp", [](auto x) { return std::exp(x); });
  add_float(registry, "Log", [](auto x) { return std::log(x); });
  add_float(registry, "Sqrt", [](auto x) { return std::sqrt(x); });
  add_float(registry, "Reciprocal", [](auto x) { return 1 / x; });
  add_float(registry, "Erf", [](auto x) { return std::erf(x); });

  add_float(registry, "Floor", [](auto x) { return std::floor(x); });
  add_float(registry, "Ceil", [](auto x) { return std::ceil(x); });
  add_float(registry, "Round", [](auto x) { return std::nearbyint(x); });  // halves to even

  add_float(registry, "Sin", [](auto x) { return std::sin(x); });
  add_float(registry, "Cos", [](auto x) { return std::cos(x); });
  add_float(registry, "Tan", [](auto x) { return std::tan(x); });
  add_float(registry, "Asin", [](auto x) { return std::asin(x); });
  add_float(registry, "Acos", [](auto x) { return std::acos(x); });
  add_float(registry, "Atan", [](auto x) { return std::atan(x); });
  add_float(registry, "Sinh", [](auto x) { return std::sinh(x); });
  add_float(registry, "Cosh", [](auto x) { return std::cosh(x); });
  add_float(registry, "Tanh", [](auto x) { return std::tanh(x); });
  add_float(registry, "Asinh", [](auto x) { return std::asinh(x); });
  add_float(registry, "Acosh", [](auto x) { return std::acosh(x); });
  add_float(registry, "Atanh", [](auto x) { return std::atanh(x); });

  add_float(registry, "Sigmoid", [](auto x) { return 1 / (1 + std::exp(-x)); });
  add_float(registry, "Softplus", softplus);
  add_float(registry, "Softsign", [](auto x) { return x / (1 + std::abs(x)); });
  add_float(registry, "Mish", mish);
}

}  // namespace intaglio
