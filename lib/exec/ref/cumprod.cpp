// CumProd: running products along one axis.
#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename T>
void cumulate(const T* in, T* out, const AxisView& view, bool exclusive, bool reverse) {
  using Product = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
  const std::int64_t step = reverse ? -view.inner : view.inner;
  const std::int64_t start = reverse ? (view.length - 1) * view.inner : 0;
  for (std::int64_t o = 0; view.length > 0 && o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      std::int64_t at = o * view.length * view.inner + start + i;
      Product product{1};
      for (std::int64_t n = 0; n < view.length; ++n, at += step) {
        const Product before = product;
        product *= static_cast<Product>(in[at]);
        out[at] = static_cast<T>(exclusive ? before : product);
      }
    }
}

std::unique_ptr<Kernel> make_cumprod(const Node& node) {
  return make_kernel([exclusive = node.attr_int("exclusive", 0) != 0,
                      reverse = node.attr_int("reverse", 0) != 0](KernelContext& c) {
    const Tensor& x = c.input(0);
    const auto axes = c.input(1).to_vector<std::int64_t>();
    if (axes.size() != 1) throw Error(Code::model, "the axis is no scalar");
    const AxisView view(x.shape(), normalized_axis(axes[0], x.rank()));
    visit_number(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      Tensor& result = c.output(0, x.dtype(), x.shape());
      cumulate(x.data<T>().data(), result.mutate<T>().data(), view, exclusive, reverse);
    });
  });
}

}  // namespace

void register_cumprod(Registry& registry) {
  registry.add({.op = "CumProd", .since = 26, .make = make_cumprod, .infer = rules::like});
}

}  // namespace intaglio
