#include "lib/exec/arguments.h"
#include "lib/exec/nest.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

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

void infer_where(RuleContext& c) {
  const DType type = c.dtype(1) != DType::undefined ? c.dtype(1) : c.dtype(2);
  c.set(0, type, broadcast(c.dims(0), broadcast(c.dims(1), c.dims(2))));
  if (!c.result(0).dims || c.result(0).dims->size() > 1) return;
  const auto chosen = c.numbers(0), yes = c.numbers(1), no = c.numbers(2);
  if (!chosen || !yes || !no || chosen->empty() || yes->empty() || no->empty()) return;
  const auto at = [](const Numbers& all, std::size_t i) {
    return all.size() == 1 ? all[0] : all.at(i);
  };
  Numbers elements;
  for (std::size_t i = 0; i < std::max({chosen->size(), yes->size(), no->size()}); ++i) {
    const Number flag = at(*chosen, i);
    elements.push_back(!flag.value ? Number{} : *flag.value != 0 ? at(*yes, i) : at(*no, i));
  }
  c.set_numbers(0, std::move(elements));
}

}  // namespace

void register_where(Registry& registry) {
  registry.add({.op = "Where", .since = 9, .make = make_where, .infer = infer_where});
}

}  // namespace intaglio
