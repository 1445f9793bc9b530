// com.microsoft.QLinearWhere (1): condition ? x : y on 8-bit codes, both converted to the scale of
// the result. Inputs: condition, X, scale, zero point, Y, scale, zero point, and those of the
// result.
#include "lib/exec/nest.h"
#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// The codes of input i at the scale of the result.
Tensor converted(const KernelContext& c, std::size_t i, CodeParams to) {
  const Tensor& codes = c.input(i);
  require_codes(codes.dtype());
  const CodeParams from = code_params(c, i + 1);
  if (from == to) return codes;
  return look_up(codes, tabulate(codes.dtype(), from, to, [](std::span<float>) {}));
}

std::unique_ptr<Kernel> make_where(const Node&) {
  return make_kernel([](KernelContext& c) {
    const CodeParams to = code_params(c, 7);
    const Tensor &condition = c.input(0), x = converted(c, 1, to), y = converted(c, 4, to);
    if (x.dtype() != y.dtype()) throw Error(Code::model, "the operands differ in type");
    const Shape shape = broadcast_shapes(condition.shape(), broadcast_shapes(x.shape(), y.shape()));
    std::byte* out = c.output(0, x.dtype(), shape).raw_mutate();
    const auto nest = broadcast_nest<3>(shape, {condition.shape(), x.shape(), y.shape()});
    const bool* choose = condition.data<bool>().data();
    const auto [step_c, step_x, step_y] = nest.inner_strides();
    nest.rows([&, sc = step_c, sx = step_x, sy = step_y](std::int64_t first, const auto& at) {
      for (std::int64_t i = 0; i < nest.inner(); ++i)
        out[first + i] = choose[at[0] + i * sc] ? x.raw()[at[1] + i * sx] : y.raw()[at[2] + i * sy];
    });
  });
}

void infer_where(RuleContext& c) {
  c.set(0, c.dtype(1), broadcast(c.dims(0), broadcast(c.dims(1), c.dims(4))));
}

}  // namespace

void register_qlinear_where(Registry& registry) {
  registry.add(
      {.op = "QLinearWhere", .domain = "com.microsoft", .make = make_where, .infer = infer_where});
}

}  // namespace intaglio
