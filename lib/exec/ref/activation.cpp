// Activations with parameters. Those without (Relu, Sigmoid, Tanh, ...) are in unary.cpp.
#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// max(x, 0) + slope * min(x, 0): without a branch, so that it becomes vector code.
template <typename T>
T leaky(T x, T slope) {
  const T above = x < 0 ? T{0} : x, below = x < 0 ? x : T{0};
  return static_cast<T>(above + slope * below);
}

// y = f(x) for floats. f is generic; its parameters are floats, so doubles keep their precision.
template <typename F>
std::unique_ptr<Kernel> activation(F f) {
  return make_unary([f](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) { return map<decltype(zero)>(x, f); });
  });
}

std::unique_ptr<Kernel> make_leaky_relu(const Node& node) {
  return activation(
      [alpha = node.attr_float("alpha", 0.01f)](auto x) { return leaky<decltype(x)>(x, alpha); });
}

std::unique_ptr<Kernel> make_thresholded_relu(const Node& node) {
  return activation(
      [alpha = node.attr_float("alpha", 1.0f)](auto x) { return x > alpha ? x : decltype(x){0}; });
}

std::unique_ptr<Kernel> make_elu(const Node& node) {
  return activation([alpha = node.attr_float("alpha", 1.0f)](auto x) {
    return x < 0 ? alpha * std::expm1(x) : x;
  });
}

std::unique_ptr<Kernel> make_selu(const Node& node) {
  const bool first = node.opset() < 6;  // opset 6 gave the constants their full precision
  const float alpha = node.attr_float("alpha", first ? 1.6732f : 1.67326319217681884765625f);
  const float gamma = node.attr_float("gamma", first ? 1.0507f : 1.05070102214813232421875f);
  return activation([alpha, gamma](auto x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

std::unique_ptr<Kernel> make_celu(const Node& node) {
  return activation([alpha = node.attr_float("alpha", 1.0f)](auto x) {
    return x < 0 ? alpha * std::expm1(x / alpha) : x;
  });
}

std::unique_ptr<Kernel> make_hard_sigmoid(const Node& node) {
  const float alpha = node.attr_float("alpha", 0.2f), beta = node.attr_float("beta", 0.5f);
  return activation([alpha, beta](auto x) {
    using T = decltype(x);
    const T y = alpha * x + beta, raised = y < 0 ? T{0} : y;
    return raised > 1 ? T{1} : raised;
  });
}

// x * max(0, min(1, x / 6 + 1 / 2)), scaled by 6 until the end: GCC makes vector code of this
// order.
std::unique_ptr<Kernel> make_hard_swish(const Node&) {
  return activation([](auto x) {
    using T = decltype(x);
    const T y = x + 3, raised = y < 0 ? T{0} : y;
    const T capped = raised > 6 ? T{6} : raised;
    return x * capped * (T{1} / 6);
  });
}

std::unique_ptr<Kernel> make_swish(const Node& node) {
  return activation(
      [alpha = node.attr_float("alpha", 1.0f)](auto x) { return x / (1 + std::exp(-alpha * x)); });
}

std::unique_ptr<Kernel> make_gelu(const Node& node) {
  if (node.attr_string("approximate", "none") == "tanh")
    return activation([](auto x) {
      constexpr double root = 0.79788456080286535588;  // sqrt(2 / pi)
      using T = decltype(x);
      return T{0.5} * x * (1 + std::tanh(static_cast<T>(root) * (x + T(0.044715) * x * x * x)));
    });
  return activation([](auto x) {
    constexpr double root = 0.70710678118654752440;  // 1 / sqrt(2)
    using T = decltype(x);
    return T{0.5} * x * (1 + std::erf(x * static_cast<T>(root)));
  });
}

// All numeric types; integers are shifted in float, as the attributes are.
std::unique_ptr<Kernel> make_shrink(const Node& node) {
  const float lambda = node.attr_float("lambd", 0.5f), bias = node.attr_float("bias", 0.0f);
  return make_unary([lambda, bias](const Tensor& x) {
    return visit_number(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      return map<T>(x, [=](auto v) {
        using C = Compute<T>;
        return v < -lambda  ? static_cast<C>(v + bias)
               : v > lambda ? static_cast<C>(v - bias)
                            : C{0};
      });
    });
  });
}

std::unique_ptr<Kernel> make_prelu(const Node& node) {
  const bool per_channel = node.opset() < 7;  // a slope of C values then belongs to axis 1
  return make_kernel([per_channel](KernelContext& c) {
    const Tensor& x = c.input(0);
    Tensor slope = c.input(1);
    if (per_channel && slope.rank() == 1 && x.rank() > 2) {
      Shape shape = slope.shape();
      shape.resize(static_cast<std::size_t>(x.rank() - 1), 1);
      slope = slope.reshaped(std::move(shape));
    }
    c.set_output(0, visit_number(x.dtype(), [&](auto zero) {
                   using T = decltype(zero);
                   return broadcast_map<T>(x, slope, [](auto v, auto s) { return leaky(v, s); });
                 }));
  });
}

}  // namespace

void register_activation(Registry& registry) {
  registry.add({.op = "LeakyRelu", .make = make_leaky_relu, .infer = rules::like});
  registry.add({.op = "PRelu", .make = make_prelu, .infer = rules::like});
  registry.add({.op = "ThresholdedRelu", .make = make_thresholded_relu, .infer = rules::like});
  registry.add({.op = "Elu", .make = make_elu, .infer = rules::like});
  registry.add({.op = "Selu", .make = make_selu, .infer = rules::like});
  registry.add({.op = "Celu", .make = make_celu, .infer = rules::like});
  registry.add({.op = "HardSigmoid", .make = make_hard_sigmoid, .infer = rules::like});
  registry.add({.op = "HardSwish", .make = make_hard_swish, .infer = rules::like});
  registry.add({.op = "Swish", .make = make_swish, .infer = rules::like});
  registry.add({.op = "Gelu", .make = make_gelu, .infer = rules::like});
  registry.add({.op = "Shrink", .make = make_shrink, .infer = rules::like});
}

}  // namespace intaglio
