// LpPool (opset 1, 2, 11, 18, 22): the p-norm of the elements under the window. Opset 1 has a float
// p.
#include <cmath>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/pool.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_lp_pool(const Node& node) {
  const float p =
      node.opset() < 2 ? node.attr_float("p", 2.0f) : static_cast<float>(node.attr_int("p", 2));
  return make_kernel([attrs = read_window(node), p](KernelContext& context) {
    Tensor powers = as_float(context.input(0));
    for (float& v : powers.mutate<float>()) v = std::pow(std::abs(v), p);
    const Window window = place_pool(attrs, powers.shape());
    const std::int64_t width = window.output.back();
    Tensor y = pool_rows<float>(powers, window, 0.0f,
                                [&](const Plane<float>& plane, std::int64_t i, float* out) {
                                  sum_row(plane, i, out, width);
                                  for (std::int64_t x = 0; x < width; ++x)
                                    out[x] = std::pow(out[x], 1.0f / p);
                                });
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_lp_pool(Registry& registry) {
  registry.add({.op = "LpPool", .since = 1, .make = make_lp_pool, .infer = rules::pool});
}

}  // namespace intaglio
