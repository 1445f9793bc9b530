// QLinearMatMul (opset 10, 21), MatMulInteger (opset 10) and com.microsoft.MatMulIntegerToFloat
// (1): matrix products of 8-bit codes, exact in 32 bits.
#include "lib/exec/ops/codes/integer_product.h"
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_matmul_integer(const Node& node) {
  return make_kernel([packed = pack_constant_codes(node, 1, 3)](KernelContext& c) {
    c.set_output(0,
                 integer_product({c.input(0), c.input(1), c.optional(2), c.optional(3), packed}));
  });
}

std::unique_ptr<Kernel> make_qlinear_matmul(const Node& node) {
  return make_kernel([packed = pack_constant_codes(node, 3, 5)](KernelContext& c) {
    const Tensor y_scale = as_float(c.input(6));
    if (y_scale.size() != 1)
      throw Error(Code::unsupported, "scales by row of the result",
                  "Quantize the activations per tensor.");
    const Tensor sums = integer_product({c.input(0), c.input(3), &c.input(2), &c.input(5), packed});
    Tensor multiplier = product_scale(c.input(1), c.input(4));
    for (float& v : multiplier.mutate<float>()) v /= y_scale.item<float>();
    const ScaleMap map(sums.shape(), multiplier.shape(), -1, 0);
    const Tensor y_zero = Tensor::scalar(c.input(7).item<std::int32_t>());
    c.set_output(0, requantize(sums, multiplier, y_zero, map, c.input(7).dtype()));
  });
}

// Inputs: A, B, scale of A, scale of B (all or by column), their zero points, a float bias. The
// last three may be missing.
std::unique_ptr<Kernel> make_matmul_to_float(const Node& node) {
  return make_kernel([packed = pack_constant_codes(node, 1, 5)](KernelContext& c) {
    const Tensor sums =
        integer_product({c.input(0), c.input(1), c.optional(4), c.optional(5), packed});
    const Tensor scale = product_scale(c.input(2), c.input(3));
    Tensor y = dequantize(sums, scale, {}, ScaleMap(sums.shape(), scale.shape(), -1, 0));
    if (const Tensor* bias = c.optional(6))
      y = broadcast_map<float>(y, as_float(*bias), [](float a, float b) { return a + b; });
    c.set_output(0, std::move(y));
  });
}

void infer_matmul_integer(RuleContext& c) {
  c.set(0, DType::s32);
  c.set(0, DType::s32, matmul_dims(c.dims(0), c.dims(1)));
}
void infer_qlinear_matmul(RuleContext& c) {
  c.set(0, c.dtype(7));
  c.set(0, c.dtype(7), matmul_dims(c.dims(0), c.dims(3)));
}
void infer_matmul_to_float(RuleContext& c) {
  c.set(0, c.dtype(2));
  c.set(0, c.dtype(2), matmul_dims(c.dims(0), c.dims(1)));
}

}  // namespace

void register_qlinear_matmul(Registry& registry) {
  registry.add({.op = "MatMulInteger",
                .since = 10,
                .make = make_matmul_integer,
                .infer = infer_matmul_integer});
  registry.add({.op = "QLinearMatMul",
                .since = 10,
                .make = make_qlinear_matmul,
                .infer = infer_qlinear_matmul});
  registry.add({.op = "MatMulIntegerToFloat",
                .domain = "com.microsoft",
                .make = make_matmul_to_float,
                .infer = infer_matmul_to_float});
}

}  // namespace intaglio
