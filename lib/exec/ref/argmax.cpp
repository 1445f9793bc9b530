// ArgMax and ArgMin: the place of the extreme element along one axis.
#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Rows of the axis are compared whole, so that the inner loop walks through memory in order.
template <typename T, typename Better>
void search(const T* in, std::int64_t* out, const AxisView& view, bool last, Better better) {
  std::vector<T> best(static_cast<std::size_t>(view.inner));
  for (std::int64_t o = 0; o < view.outer; ++o, out += view.inner)
    for (std::int64_t n = 0; n < view.length; ++n, in += view.inner)
      for (std::int64_t i = 0; i < view.inner; ++i) {
        T& champion = best[static_cast<std::size_t>(i)];
        if (n > 0 && !better(in[i], champion) && !(last && in[i] == champion)) continue;
        champion = in[i];
        out[i] = n;
      }
}

template <typename Better>
std::unique_ptr<Kernel> make_arg(const Node& node) {
  return make_kernel([given = node.attr_int("axis", 0), keep = node.attr_int("keepdims", 1) != 0,
                      last = node.attr_int("select_last_index", 0) != 0](KernelContext& c) {
    const Tensor& x = c.input(0);
    const std::int64_t axis = normalized_axis(given, x.rank());
    const AxisView view(x.shape(), axis);
    if (view.length == 0) throw Error(Code::model, "the extreme of no elements");
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = 1;
    if (!keep) shape.erase(shape.begin() + axis);
    std::int64_t* out = c.output(0, DType::s64, std::move(shape)).mutate<std::int64_t>().data();
    visit_number(x.dtype(), [&](auto zero) {
      search(x.data<decltype(zero)>().data(), out, view, last, Better{});
    });
  });
}

void infer_arg(RuleContext& c) {
  c.set(0, DType::s64);
  const Numbers axis = {{c.node().attr_int("axis", 0), {}, false}};
  if (c.dims(0))
    c.set(0, DType::s64, rules::reduced(*c.dims(0), axis, c.node().attr_int("keepdims", 1) != 0));
}

}  // namespace

void register_argmax(Registry& registry) {
  registry.add({.op = "ArgMax", .make = make_arg<std::greater<>>, .infer = infer_arg});
  registry.add({.op = "ArgMin", .make = make_arg<std::less<>>, .infer = infer_arg});
}

}  // namespace intaglio
