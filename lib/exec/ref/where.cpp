#include "lib/exec/arguments.h"
#include "lib/exec/nest.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

void where(KernelContext& c) {
  const Tensor &condition = c.input(0), &left = c.input(1), &right = c.input(2);
  if (left.dtype() != right.dtype()) throw Error(Code::model, "the two branches differ in type");
  const Shape branches = broadcast_shapes(left.shape(), right.shape());
  Tensor& result = c.output(0, left.dtype(), broadcast_shapes(condition.shape(), branches));
  const auto nest =
      broadcast_nest<3>(result.shape(), {condition.shape(), left.shape(), right.shape()});
  const bool* chosen = condition.data<bool>().data();
  visit_width(left, [&](auto zero) {
    using T = decltype(zero);
    const T* a = reinterpret_cast<const T*>(left.raw());
    const T* b = reinterpret_cast<const T*>(right.raw());
    T* y = reinterpret_cast<T*>(result.raw_mutate());
    const auto [step_c, step_a, step_b] = nest.inner_strides();
    nest.rows([&, sc = step_c, sa = step_a, sb = step_b](std::int64_t first, const auto& at) {
      for (std::int64_t i = 0; i < nest.inner(); ++i)
        y[first + i] = chosen[at[0] + i * sc] ? a[at[1] + i * sa] : b[at[2] + i * sb];
    });
  });
}

std::unique_ptr<Kernel> make_where(const Node&) { return make_kernel(where); }

}  // namespace

void register_where(Registry& registry) {
  registry.add({.op = "Where", .since = 9, .make = make_where});
}

}  // namespace intaglio
