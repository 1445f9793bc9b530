// LpNormalization (opset 1, 22): x divided by its 1-norm or 2-norm along an axis; zeros stay zeros.
#include <cmath>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_lp_normalization(const Node& node) {
  const std::int64_t p = node.attr_int("p", 2);
  if (p != 1 && p != 2) throw Error(Code::model, "p is " + std::to_string(p) + ", not 1 or 2");
  return make_kernel([p, axis = node.attr_int("axis", -1)](KernelContext& context) {
    Tensor y = as_float(context.input(0));
    const AxisView view(y.shape(), normalized_axis(axis, y.rank()));
    float* values = y.mutate<float>().data();
    for (std::int64_t o = 0; view.length > 0 && o < view.outer; ++o)
      for (std::int64_t i = 0; i < view.inner; ++i) {
        float* line = values + o * view.length * view.inner + i;
        double sum = 0;
        for (std::int64_t k = 0; k < view.length; ++k) {
          const auto v = static_cast<double>(line[k * view.inner]);
          sum += p == 1 ? std::abs(v) : v * v;
        }
        const double norm = p == 1 ? sum : std::sqrt(sum);
        for (std::int64_t k = 0; norm != 0 && k < view.length; ++k)
          line[k * view.inner] =
              static_cast<float>(static_cast<double>(line[k * view.inner]) / norm);
      }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_lp_normalization(Registry& registry) {
  registry.add({.op = "LpNormalization", .make = make_lp_normalization, .infer = rules::like});
}

}  // namespace intaglio
