// SwiGLU: a * sigmoid(alpha * a) * b ("GLU Variants Improve Transformer", Shazeer 2020).
#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_swiglu(const Node& node) {
  return make_kernel([alpha = node.attr_float("alpha", 1.0f)](KernelContext& c) {
    const Tensor &a = c.input(0), &b = c.input(1);
    if (a.shape() != b.shape())
      throw Error(Code::model, "shapes " + to_string(a.shape()) + " and " + to_string(b.shape()));
    c.set_output(0, visit_float(a.dtype(), [&](auto zero) {
                   return broadcast_map<decltype(zero)>(a, b, [alpha](auto x, auto y) {
                     return x / (1 + std::exp(-alpha * x)) * y;
                   });
                 }));
  });
}

}  // namespace

void register_swiglu(Registry& registry) {
  registry.add({.op = "SwiGLU", .since = 28, .make = make_swiglu, .infer = rules::like});
}

}  // namespace intaglio
