// QLinearMatMul (opset 10, 21) and MatMulInteger (opset 10): matrix products of 8-bit codes, exact
// in 32 bits. Zero points of A are one for all or by row, those of B one for all or by column.
#include "lib/exec/float_io.h"
#include "lib/exec/matmul.h"
#include "lib/exec/quantization.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

Tensor multiply(const Tensor& a, const Tensor* a_zero, const Tensor& b, const Tensor* b_zero) {
  const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
  Tensor y(DType::s32, plan.output);
  const Tensor left = centred(a, a_zero, a.rank() > 1 ? -2 : -1), right = centred(b, b_zero, -1);
  matmul_exact(plan, left.data<float>().data(), right.data<float>().data(),
               y.mutate<std::int32_t>().data());
  return y;
}

std::unique_ptr<Kernel> make_matmul_integer(const Node&) {
  return make_kernel([](KernelContext& c) {
    c.set_output(0, multiply(c.input(0), c.optional(2), c.input(1), c.optional(3)));
  });
}

std::unique_ptr<Kernel> make_qlinear_matmul(const Node&) {
  return make_kernel([](KernelContext& c) {
    const Tensor a_scale = as_float(c.input(1)), y_scale = as_float(c.input(6));
    if (a_scale.size() != 1 || y_scale.size() != 1)
      throw Error(Code::unsupported, "scales by row of the first matrix or of the result",
                  "Quantize the activations per tensor.");
    const Tensor sums = multiply(c.input(0), &c.input(2), c.input(3), &c.input(5));
    Tensor multiplier = as_float(c.input(4));
    for (float& v : multiplier.mutate<float>())
      v = a_scale.item<float>() * v / y_scale.item<float>();
    const ScaleMap map(sums.shape(), multiplier.shape(), -1, 0);
    const Tensor y_zero = Tensor::scalar(c.input(7).item<std::int32_t>());
    c.set_output(0, requantize(sums, multiplier, y_zero, map, c.input(7).dtype()));
  });
}

}  // namespace

void register_qlinear_matmul(Registry& registry) {
  registry.add({.op = "MatMulInteger", .since = 10, .make = make_matmul_integer});
  registry.add({.op = "QLinearMatMul", .since = 10, .make = make_qlinear_matmul});
}

}  // namespace intaglio
