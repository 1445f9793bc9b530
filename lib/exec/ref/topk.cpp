// TopK: k is an attribute in opset 1, an input since 10; largest and sorted came with 11.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// A total order even with NaN, which counts as greater than every number; ties keep their order.
template <typename T>
bool comes_first(T a, T b, bool largest) {
  if (a != a || b != b) return largest ? a != a && b == b : a == a && b != b;
  return largest ? a > b : a < b;
}

template <typename T>
void select(const T* in, T* values, std::int64_t* places, const AxisView& view, std::int64_t k,
            bool largest) {
  if (k == 0 || view.outer == 0) return;
  std::vector<std::int64_t> order(static_cast<std::size_t>(view.length));
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const T* column = in + o * view.length * view.inner + i;
      const auto at = [&](std::int64_t n) {
        return static_cast<Compute<T>>(column[n * view.inner]);
      };
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(),
                        [&](std::int64_t a, std::int64_t b) {
                          if (comes_first(at(a), at(b), largest)) return true;
                          return a < b && !comes_first(at(b), at(a), largest);
                        });
      for (std::int64_t n = 0; n < k; ++n) {
        const std::int64_t to = (o * k + n) * view.inner + i;
        places[to] = order[static_cast<std::size_t>(n)];
        values[to] = column[places[to] * view.inner];
      }
    }
}

std::unique_ptr<Kernel> make_topk(const Node& node) {
  return make_kernel([given = node.attr_int("axis", -1), k_argument = IntsArgument(node, "k", 1),
                      largest = node.attr_int("largest", 1) != 0](KernelContext& c) {
    const Tensor& x = c.input(0);
    const std::int64_t axis = normalized_axis(given, x.rank());
    const AxisView view(x.shape(), axis);
    const auto ks = k_argument.get(c).value_or(Shape{});
    if (ks.size() != 1 || ks[0] < 0 || ks[0] > view.length)
      throw Error(Code::model, fmt::format("k = {} does not select among {} elements",
                                           to_string(ks), view.length));
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = ks[0];
    Tensor places(DType::s64, shape);
    visit_number(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* values = c.output(0, x.dtype(), shape).template mutate<T>().data();
      select(x.data<T>().data(), values, places.mutate<std::int64_t>().data(), view, ks[0],
             largest);
    });
    if (c.wants(1)) c.set_output(1, std::move(places));
  });
}

void infer_topk(RuleContext& c) {
  std::optional<Dims> dims = c.dims(0);
  if (dims) {
    const auto k = c.numbers(1, "k");
    (*dims)[axis_of(c.node().attr_int("axis", -1), *dims)] =
        k && k->size() == 1 ? dim_of(k->front()) : Dim{};
  }
  c.set(0, c.dtype(0), dims);
  c.set(1, DType::s64, dims);
}

}  // namespace

void register_topk(Registry& registry) {
  registry.add({.op = "TopK", .make = make_topk, .infer = infer_topk});
}

}  // namespace intaglio
