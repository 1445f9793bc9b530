// com.microsoft.QLinearLeakyRelu and QLinearSigmoid (1): functions of one 8-bit code, so tables of
// quantize(f(dequantize(code))). Inputs: X, scale, zero point, and those of the result.
#include <cmath>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename F>
std::unique_ptr<Kernel> make_table(F f) {
  return make_kernel(
      [f](KernelContext& c) {
        const Tensor& x = c.input(0);
        const CodeTable table = tabulate(x.dtype(), code_params(c, 1), code_params(c, 3), f);
        Tensor y = look_up(as_stored(x), table);
        c.set_output(0, x.layout() == Layout::row_major ? std::move(y) : from_stored(y));
      },
      Layouts::any);
}

std::unique_ptr<Kernel> make_leaky_relu(const Node& node) {
  return make_table([alpha = node.attr_float("alpha", 0.01f)](std::span<float> values) {
    for (float& v : values) v = v >= 0 ? v : alpha * v;
  });
}

std::unique_ptr<Kernel> make_sigmoid(const Node&) {
  return make_table([](std::span<float> values) {
    for (float& v : values) v = static_cast<float>(1 / (1 + std::exp(-static_cast<double>(v))));
  });
}

}  // namespace

void register_qlinear_unary(Registry& registry) {
  registry.add({.op = "QLinearLeakyRelu",
                .domain = "com.microsoft",
                .make = make_leaky_relu,
                .infer = rules::like});
  registry.add({.op = "QLinearSigmoid",
                .domain = "com.microsoft",
                .make = make_sigmoid,
                .infer = rules::like});
}

}  // namespace intaglio
