// Sigmoid to the bit as onnxruntime computes it on x86-64 with FMA: for x held within -18..18
//   1/2 + x p(x^2) / q(x^2),  held within 0..1
// with polynomials of degree 4 and 5 evaluated by Horner's rule in fused multiply-adds. (The
// coefficients are those of Eigen's logistic function, as in
// onnxruntime/core/mlas/lib/logistic.cpp, 1.31.) Within 1.2e-7 of the true value.
#include <memory>

#include "lib/exec/registry.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

constexpr float p[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                       8.51377133304701e-03f, 2.48287947061529e-01f};
constexpr float q[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                       1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};

INTAGLIO_CLONES void sigmoid(const float* x, float* y, std::int64_t count) {
  // Inlined by force: as a function of its own it would be compiled for the baseline, and would not
  // take vectors the way in which its callers pass them.
  vec::map(
      x, y, count, [](Vector16 given) __attribute__((always_inline)) {
        const Vector16 v = vec::at_most(vec::at_least(given, -18.0f), 18.0f), square = v * v;
        Vector16 above = vec::all(p[0]), below = vec::all(q[0]);
#pragma GCC unroll 4
        for (int k = 1; k < 5; ++k) above = vec::fma(above, square, vec::all(p[k]));
#pragma GCC unroll 5
        for (int k = 1; k < 6; ++k) below = vec::fma(below, square, vec::all(q[k]));
        return vec::at_most(vec::at_least(above * v / below + 0.5f, 0.0f), 1.0f);
      });
}

Refusal refuse_sigmoid(const Node& node) {
  if (node.input(0) == nullptr || node.input(0)->dtype() != DType::f32) return "not float32";
  return std::nullopt;
}

std::unique_ptr<Kernel> make_sigmoid(const Node&) {
  return make_kernel([](KernelContext& context) {
    const Tensor& x = context.input(0);
    Tensor& y = context.output(0, DType::f32, x.shape());
    sigmoid(x.data<float>().data(), y.mutate<float>().data(), x.size());
  });
}

}  // namespace

void register_ordered_sigmoid(Registry& registry) {
  registry.add({.op = "Sigmoid",
                .impl = "ordered",
                .priority = -1,
                .refuse = refuse_sigmoid,
                .make = make_sigmoid});
}

}  // namespace intaglio
