// Softmax, LogSoftmax and Hardmax. From opset 13 on along one axis (default: the last); before,
// over all axes from `axis` (default 1) on, as one.
#include <algorithm>
#include <cmath>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename C>
void softmax(C* line, std::int64_t count) {
  const C most = *std::max_element(line, line + count);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    line[i] = std::exp(line[i] - most);
    sum += static_cast<double>(line[i]);
  }
  const C factor = static_cast<C>(1 / sum);
  for (std::int64_t i = 0; i < count; ++i) line[i] *= factor;
}

template <typename C>
void log_softmax(C* line, std::int64_t count) {
  const C most = *std::max_element(line, line + count);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(std::exp(line[i] - most));
  const C shift = most + static_cast<C>(std::log(sum));
  for (std::int64_t i = 0; i < count; ++i) line[i] -= shift;
}

template <typename C>
void hardmax(C* line, std::int64_t count) {
  const std::int64_t best = std::max_element(line, line + count) - line;
  std::fill_n(line, count, C{0});
  line[best] = 1;
}

// Calls body(line, count) on a copy of every line of elements that the operator works on.
template <typename T, typename F>
Tensor by_line(const Tensor& x, const AxisView& view, F body) {
  Tensor y(x.dtype(), x.shape());
  if (y.size() == 0) return y;
  const T* in = x.data<T>().data();
  T* out = y.mutate<T>().data();
  std::vector<Compute<T>> line(static_cast<std::size_t>(view.length));
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const std::int64_t first = o * view.length * view.inner + i;
      for (std::size_t k = 0; k < line.size(); ++k)
        line[k] = static_cast<Compute<T>>(in[first + static_cast<std::int64_t>(k) * view.inner]);
      body(line.data(), view.length);
      for (std::size_t k = 0; k < line.size(); ++k)
        out[first + static_cast<std::int64_t>(k) * view.inner] = static_cast<T>(line[k]);
    }
  return y;
}

AxisView view_of(const Shape& shape, std::int64_t attr, bool flatten) {
  const std::int64_t rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(shape.size()));
  const std::int64_t axis = normalized_axis(attr, rank);
  if (shape.empty()) return AxisView(Shape{1}, 0);
  AxisView view(shape, axis);
  if (flatten) {
    view.length *= view.inner;
    view.inner = 1;
  }
  return view;
}

template <typename F>
std::unique_ptr<Kernel> make(const Node& node, F body) {
  const bool flatten = node.opset() < 13;
  const std::int64_t axis = node.attr_int("axis", flatten ? 1 : -1);
  return make_kernel([=](KernelContext& context) {
    const Tensor& x = context.input(0);
    const AxisView view = view_of(x.shape(), axis, flatten);
    visit_float(x.dtype(),
                [&](auto zero) { context.set_output(0, by_line<decltype(zero)>(x, view, body)); });
  });
}

}  // namespace

void register_softmax(Registry& registry) {
  registry.add({.op = "Softmax",
                .make =
                    [](const Node& node) {
                      return make(node, [](auto* line, std::int64_t n) { softmax(line, n); });
                    },
                .infer = rules::like});
  registry.add({.op = "LogSoftmax",
                .make =
                    [](const Node& node) {
                      return make(node, [](auto* line, std::int64_t n) { log_softmax(line, n); });
                    },
                .infer = rules::like});
  registry.add({.op = "Hardmax",
                .make =
                    [](const Node& node) {
                      return make(node, [](auto* line, std::int64_t n) { hardmax(line, n); });
                    },
                .infer = rules::like});
}

}  // namespace intaglio
