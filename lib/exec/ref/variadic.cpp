// Max, Min, Sum, Mean: any number of numeric operands under broadcasting.
#include <functional>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// NaN wins, as in numpy.
struct Larger {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Smaller {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

template <typename F>
Tensor fold(const KernelContext& c, F f) {
  Tensor result = c.input(0);
  for (std::size_t i = 1; i < c.input_count(); ++i)
    result = visit_number(result.dtype(), [&](auto zero) {
      return broadcast_map<decltype(zero)>(result, c.input(i), f);
    });
  return result;
}

template <typename F>
std::unique_ptr<Kernel> make_fold(const Node&) {
  return make_kernel([](KernelContext& c) { c.set_output(0, fold(c, F{})); });
}

std::unique_ptr<Kernel> make_mean(const Node&) {
  return make_kernel([](KernelContext& c) {
    const Tensor sum = fold(c, std::plus<>{});
    c.set_output(0, visit_float(sum.dtype(), [&](auto zero) {
                   using T = decltype(zero);
                   const auto count = static_cast<Compute<T>>(c.input_count());
                   return map<T>(sum, [count](auto x) { return x / count; });
                 }));
  });
}

}  // namespace

void register_variadic(Registry& registry) {
  registry.add({.op = "Max", .make = make_fold<Larger>, .infer = rules::broadcast});
  registry.add({.op = "Min", .make = make_fold<Smaller>, .infer = rules::broadcast});
  registry.add({.op = "Sum",
                .make = make_fold<std::plus<>>,
                .infer = rules::broadcast});  // floats only in every opset
  registry.add({.op = "Mean", .make = make_mean, .infer = rules::broadcast});
}

}  // namespace intaglio
