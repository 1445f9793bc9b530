// Unique: distinct elements, or distinct slices along an axis, with their first places, the inverse
// map and their counts.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct Groups {
  std::vector<std::int64_t> first, inverse, counts;
};

// Groups the slices [0, count) by the order `less`; groups are numbered in that order when sorted,
// by their first member otherwise.
template <typename Less>
Groups group(std::int64_t count, bool sorted, Less less) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), less);
  std::vector<std::int64_t> leader(order.size());  // of each slice: the first equal one
  std::vector<std::int64_t> leaders;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || less(leaders.back(), order[i])) leaders.push_back(order[i]);
    leader[static_cast<std::size_t>(order[i])] = leaders.back();
  }
  if (!sorted) std::sort(leaders.begin(), leaders.end());
  std::vector<std::int64_t> number(order.size());
  for (std::size_t g = 0; g < leaders.size(); ++g)
    number[static_cast<std::size_t>(leaders[g])] = static_cast<std::int64_t>(g);
  Groups groups{leaders, {}, std::vector<std::int64_t>(leaders.size())};
  for (const std::int64_t l : leader) {
    groups.inverse.push_back(number[static_cast<std::size_t>(l)]);
    ++groups.counts[static_cast<std::size_t>(groups.inverse.back())];
  }
  return groups;
}

// Slices are compared element by element; NaN equals NaN and is greater than every number.
template <typename T>
Groups group_slices(const Tensor& x, const AxisView& view, bool sorted) {
  const T* data = x.data<T>().data();
  return group(view.length, sorted, [=](std::int64_t a, std::int64_t b) {
    for (std::int64_t o = 0; o < view.outer; ++o)
      for (std::int64_t i = 0; i < view.inner; ++i) {
        const auto u = static_cast<Compute<T>>(data[(o * view.length + a) * view.inner + i]);
        const auto v = static_cast<Compute<T>>(data[(o * view.length + b) * view.inner + i]);
        if (u < v || (u == u && v != v)) return true;
        if (v < u || (v == v && u != u)) return false;
      }
    return false;
  });
}

std::unique_ptr<Kernel> make_unique_kernel(const Node& node) {
  const auto axis_attr = node.has("axis") ? std::optional(node.attr_int("axis")) : std::nullopt;
  return make_kernel([axis_attr, sorted = node.attr_int("sorted", 1) != 0](KernelContext& c) {
    const Tensor x = axis_attr ? c.input(0) : c.input(0).reshaped({c.input(0).size()});
    const std::int64_t axis = axis_attr ? normalized_axis(*axis_attr, x.rank()) : 0;
    const AxisView view(x.shape(), axis);
    const Groups groups = visit_dtype(
        x.dtype(), [&](auto zero) { return group_slices<decltype(zero)>(x, view, sorted); });
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(groups.first.size());
    Tensor& result = c.output(0, x.dtype(), std::move(shape));
    const std::size_t block =
        result.size() == 0 ? 0 : static_cast<std::size_t>(view.inner) * element_width(x);
    std::byte* out = result.raw_mutate();
    for (std::int64_t o = 0; block > 0 && o < view.outer; ++o)
      for (const std::int64_t i : groups.first) {
        std::memcpy(out, x.raw() + static_cast<std::size_t>(o * view.length + i) * block, block);
        out += block;
      }
    if (c.wants(1)) c.set_output(1, Tensor::vector(groups.first));
    if (c.wants(2)) c.set_output(2, Tensor::vector(groups.inverse));
    if (c.wants(3)) c.set_output(3, Tensor::vector(groups.counts));
  });
}

void infer_unique(RuleContext& c) {
  for (std::size_t i = 1; i < c.result_count(); ++i) c.set(i, DType::s64, Dims(1));
  rules::some(c);
}

}  // namespace

void register_unique(Registry& registry) {
  registry.add({.op = "Unique", .since = 11, .make = make_unique_kernel, .infer = infer_unique});
}

}  // namespace intaglio
