// HannWindow, HammingWindow and BlackmanWindow (opset 17): sums of cosines over one period.
#include <cmath>
#include <numbers>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// a - b cos(2 pi i / n) + c cos(4 pi i / n)
struct Cosines {
  double a, b, c;
};
constexpr Cosines hann{0.5, 0.5, 0}, hamming{25.0 / 46, 21.0 / 46, 0}, blackman{0.42, 0.5, 0.08};

std::unique_ptr<Kernel> make_window_function(const Node& node, const Cosines& cosines) {
  return make_kernel([cosines, periodic = node.attr_int("periodic", 1) != 0,
                      type = static_cast<DType>(node.attr_int("output_datatype", 1))](
                         KernelContext& c) {
    const auto size = c.input(0).item<std::int64_t>();
    Tensor window(DType::f64, {size});
    const auto values = window.mutate<double>();
    // A symmetric window of one element is a period of none.
    const auto period = static_cast<double>(std::max<std::int64_t>(periodic ? size : size - 1, 1));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double at = 2 * std::numbers::pi * static_cast<double>(i) / period;
      values[i] = cosines.a - cosines.b * std::cos(at) + cosines.c * std::cos(2 * at);
    }
    c.set_output(0, convert(window, type));
  });
}

template <const Cosines& cosines>
std::unique_ptr<Kernel> make(const Node& node) {
  return make_window_function(node, cosines);
}

void infer_window_function(RuleContext& c) {
  const auto size = c.numbers(0);
  c.set(0, static_cast<DType>(c.node().attr_int("output_datatype", 1)),
        Dims{size && size->size() == 1 ? dim_of(size->front()) : Dim{}});
}

}  // namespace

void register_window_functions(Registry& registry) {
  registry.add(
      {.op = "HannWindow", .since = 17, .make = make<hann>, .infer = infer_window_function});
  registry.add(
      {.op = "HammingWindow", .since = 17, .make = make<hamming>, .infer = infer_window_function});
  registry.add({.op = "BlackmanWindow",
                .since = 17,
                .make = make<blackman>,
                .infer = infer_window_function});
}

}  // namespace intaglio
