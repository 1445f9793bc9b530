// Add, Sub, Mul, Div, Mod, Pow: two numeric operands under broadcasting.
#include <cmath>
#include <functional>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// F on integers is computed modulo 2^64 and cut to the type: it wraps and is never undefined.
template <typename F>
std::unique_ptr<Kernel> make_wrapping(const Node& node) {
  return make_binary(node, [](const Tensor& a, const Tensor& b) {
    return visit_number(a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      return broadcast_map<T>(a, b, [](auto x, auto y) {
        if constexpr (std::is_integral_v<T>) {
          return F{}(static_cast<std::uint64_t>(x), static_cast<std::uint64_t>(y));
        } else {
          return F{}(x, y);
        }
      });
    });
  });
}

// Both integer divisions refuse what the processor would trap on.
template <typename T>
void require_divisor(T y) {
  if (y == 0) throw Error(Code::model, "division of an integer by zero");
}

template <typename T>
T divide(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    require_divisor(y);
    if constexpr (std::is_signed_v<T>)
      if (y == -1) return static_cast<T>(0 - static_cast<std::uint64_t>(x));
  }
  return static_cast<T>(x / y);
}

std::unique_ptr<Kernel> make_div(const Node& node) {
  return make_binary(node, [](const Tensor& a, const Tensor& b) {
    return visit_number(a.dtype(), [&](auto zero) {
      return broadcast_map<decltype(zero)>(a, b, [](auto x, auto y) { return divide(x, y); });
    });
  });
}

// The sign of the result is that of the divisor, as in Python; with fmod=1 that of the dividend, as
// in C.
template <typename T>
T modulo(T x, T y, bool fmod) {
  if constexpr (std::is_integral_v<T>) {
    require_divisor(y);
    if constexpr (std::is_signed_v<T>)
      if (y == -1) return 0;
    const T r = static_cast<T>(x % y);
    return !fmod && r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
  } else {
    const T r = std::fmod(x, y);
    return !fmod && r != 0 && (r < 0) != (y < 0) ? r + y : r;
  }
}

std::unique_ptr<Kernel> make_mod(const Node& node) {
  const bool fmod = node.attr_int("fmod", 0) != 0;
  return make_binary(node, [fmod](const Tensor& a, const Tensor& b) {
    return visit_number(a.dtype(), [&](auto zero) {
      return broadcast_map<decltype(zero)>(a, b,
                                           [fmod](auto x, auto y) { return modulo(x, y, fmod); });
    });
  });
}

// The result has the type of the base. Squares, which normalizations are made of, need no pow().
Tensor power(const Tensor& base, const Tensor& exponent) {
  if (base.dtype() == DType::f32 && exponent.dtype() == DType::f32) {
    if (exponent.size() == 1 && exponent.item<float>() == 2)
      return broadcast_map<float>(base, exponent, [](float x, float) { return x * x; });
    return broadcast_map<float>(base, exponent, [](float x, float y) { return std::pow(x, y); });
  }
  const Tensor x = convert(base, DType::f64), y = convert(exponent, DType::f64);
  return convert(broadcast_map<double>(x, y, [](double u, double v) { return std::pow(u, v); }),
                 base.dtype());
}

std::unique_ptr<Kernel> make_pow(const Node& node) { return make_binary(node, power); }

// On elements of shapes: what is unknown stays so, unless the other operand decides.
std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t bits(const Number& n) { return static_cast<std::uint64_t>(*n.value); }
bool is_length(const Number& n) { return n.length || (n.value && *n.value >= 0); }

Number add(const Number& a, const Number& b) {
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  Number result{.length = is_length(a) && is_length(b)};
  if (a.value && b.value) result.value = wrapped(bits(a) + bits(b));
  return result;
}

Number subtract(const Number& a, const Number& b) {
  if (b.is(0)) return a;
  if (a.value && b.value) return {.value = wrapped(bits(a) - bits(b))};
  if (!a.symbol.empty() && a.symbol == b.symbol) return {.value = 0};
  return {};
}

Number multiply(const Number& a, const Number& b) {
  if (a.is(1) || b.is(0)) return b;
  if (b.is(1) || a.is(0)) return a;
  Number result{.length = is_length(a) && is_length(b)};
  if (a.value && b.value) result.value = wrapped(bits(a) * bits(b));
  return result;
}

Number quotient(const Number& a, const Number& b) {
  if (b.is(1)) return a;
  Number result{.length = is_length(a) && is_length(b)};
  if (a.value && b.value && *b.value != 0 && *b.value != -1) result.value = *a.value / *b.value;
  return result;
}

template <Number (*f)(const Number&, const Number&)>
void infer_arithmetic(RuleContext& c) {
  rules::elementwise(c, c.dtype(0) != DType::undefined ? c.dtype(0) : c.dtype(1), f);
}

}  // namespace

void register_arithmetic(Registry& registry) {
  registry.add({.op = "Add", .make = make_wrapping<std::plus<>>, .infer = infer_arithmetic<add>});
  registry.add(
      {.op = "Sub", .make = make_wrapping<std::minus<>>, .infer = infer_arithmetic<subtract>});
  registry.add(
      {.op = "Mul", .make = make_wrapping<std::multiplies<>>, .infer = infer_arithmetic<multiply>});
  registry.add({.op = "Div", .make = make_div, .infer = infer_arithmetic<quotient>});
  registry.add({.op = "Mod", .make = make_mod, .infer = rules::broadcast});
  registry.add({.op = "Pow", .make = make_pow, .infer = rules::broadcast});
}

}  // namespace intaglio
