// Reshape, Flatten, Squeeze, Unsqueeze: the same bytes under another shape.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// 0 copies the length of that axis (unless allow_zero), -1 stands for what is left.
Shape resolve(const Tensor& x, const Shape& wanted, bool allow_zero) {
  const auto fail = [&] {
    return Error(Code::model,
                 fmt::format("cannot reshape {} to {}", to_string(x.shape()), to_string(wanted)));
  };
  Shape result = wanted;
  auto free = result.end();
  for (auto it = result.begin(); it != result.end(); ++it) {
    const auto axis = static_cast<std::size_t>(it - result.begin());
    if (*it == 0 && !allow_zero) {
      if (axis >= x.shape().size()) throw fail();
      *it = x.dim(axis);
    } else if (*it == -1 && free == result.end()) {
      free = it;
    } else if (*it < 0) {
      throw fail();
    }
  }
  if (free != result.end()) {
    *free = 1;
    const std::int64_t known = element_count(result);
    if (known == 0 || x.size() % known != 0) throw fail();
    *free = x.size() / known;
  }
  if (element_count(result) != x.size()) throw fail();
  return result;
}

std::unique_ptr<Kernel> make_reshape(const Node& node) {
  const bool allow_zero = node.attr_int("allowzero", 0) != 0;
  return make_kernel([allow_zero, shape = IntsArgument(node, "shape", 1)](KernelContext& c) {
    const auto wanted = shape.get(c);
    if (!wanted) throw Error(Code::model, "neither an input nor an attribute gives the shape");
    c.set_output(0, c.input(0).reshaped(resolve(c.input(0), *wanted, allow_zero)));
  });
}

std::unique_ptr<Kernel> make_flatten(const Node& node) {
  return make_kernel([axis = node.attr_int("axis", 1)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const auto split =
        static_cast<std::size_t>(axis == x.rank() ? axis : normalized_axis(axis, x.rank()));
    const Shape& shape = x.shape();
    c.set_output(0, x.reshaped({product(shape, 0, split), product(shape, split, shape.size())}));
  });
}

std::unique_ptr<Kernel> make_squeeze(const Node& node) {
  return make_kernel([argument = IntsArgument(node, "axes", 1)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const auto named = argument.get(c);
    const auto axes = normalized_axes(named.value_or(Shape{}), x.rank());
    Shape shape;
    for (std::int64_t d = 0; d < x.rank(); ++d) {
      const std::int64_t length = x.dim(static_cast<std::size_t>(d));
      const bool chosen =
          named ? std::find(axes.begin(), axes.end(), d) != axes.end() : length == 1;
      if (chosen && length != 1)
        throw Error(Code::model,
                    fmt::format("cannot squeeze axis {} of shape {}", d, to_string(x.shape())));
      if (!chosen) shape.push_back(length);
    }
    c.set_output(0, x.reshaped(std::move(shape)));
  });
}

// The axes count in the shape of the result and need not be sorted.
std::unique_ptr<Kernel> make_unsqueeze(const Node& node) {
  return make_kernel([argument = IntsArgument(node, "axes", 1)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const auto named = argument.get(c);
    if (!named) throw Error(Code::model, "neither an input nor an attribute gives the axes");
    const std::size_t rank = x.shape().size() + named->size();
    const auto axes = normalized_axes(*named, static_cast<std::int64_t>(rank));
    Shape shape(rank, 0);
    for (const std::int64_t axis : axes) shape[static_cast<std::size_t>(axis)] = 1;
    auto length = x.shape().begin();
    for (std::size_t d = 0; d < rank; ++d)
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == axes.end())
        shape[d] = *length++;
    c.set_output(0, x.reshaped(std::move(shape)));
  });
}

// What is left for the one length that the others leave open: names that stand on both sides cancel
// out.
Dim left_over(const Dims& x, const Dims& wanted, std::size_t open) {
  std::int64_t from = 1, to = 1;
  std::vector<std::string> names;
  for (const Dim& d : x) {
    if (!d.known() && d.symbol.empty()) return {};
    if (!d.known()) names.push_back(d.symbol);
    if (d.known()) from *= std::min(d.value, std::int64_t{1} << 31);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i == open) continue;
    if (wanted[i].known()) to *= std::min(wanted[i].value, std::int64_t{1} << 31);
    const auto name = std::ranges::find(names, wanted[i].symbol);
    if (!wanted[i].known() && name == names.end()) return {};
    if (!wanted[i].known()) names.erase(name);
  }
  if (to == 0 || from % to != 0 || names.size() > 1) return {};
  if (names.empty()) return dim_of(from / to);
  return from == to ? Dim{-1, names[0]} : Dim{};
}

void infer_reshape(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto wanted = c.numbers(1, "shape");
  if (!wanted) return;
  const bool copies = c.node().attr_int("allowzero", 0) == 0;
  Dims dims = dims_of(*wanted);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const Number& n = (*wanted)[i];
    if (n.is(0) && copies) dims[i] = c.dims(0) ? c.dims(0)->at(i) : Dim{};
    if (n.is(-1) || (!n.value && n.symbol.empty())) open.push_back(i);
  }
  if (c.dims(0) && open.size() == 1) dims[open[0]] = left_over(*c.dims(0), dims, open[0]);
  c.set(0, c.dtype(0), dims);
  const auto numbers = c.numbers(0);
  if (numbers && dims.size() <= 1) c.set_numbers(0, *numbers);
}

void infer_flatten(RuleContext& c) {
  c.set(0, c.dtype(0), Dims(2));
  if (!c.dims(0)) return;
  const Dims& x = *c.dims(0);
  const std::int64_t axis = c.node().attr_int("axis", 1);
  const std::size_t split = axis == std::ssize(x) ? x.size() : axis_of(axis, x);
  c.set(0, c.dtype(0), Dims{product(x, 0, split), product(x, split, x.size())});
}

void infer_squeeze(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  const Dims& x = *c.dims(0);
  auto axes = c.numbers(1, "axes");
  if (!c.has(1, "axes")) {
    axes.emplace();
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!x[i].known()) return;
      if (x[i].value == 1) axes->push_back({static_cast<std::int64_t>(i), {}, false});
    }
  }
  c.set(0, c.dtype(0), rules::reduced(x, axes, false));
  if (const auto numbers = c.numbers(0); numbers && x.size() == 1) c.set_numbers(0, *numbers);
}

void infer_unsqueeze(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto axes = c.numbers(1, "axes");
  if (!c.dims(0) || !axes) return;
  Dims dims(c.dims(0)->size() + axes->size());
  c.set(0, c.dtype(0), dims);
  std::vector<bool> added(dims.size(), false);
  for (const Number& axis : *axes)
    if (!axis.value) return;
  for (const Number& axis : *axes) added[axis_of(*axis.value, dims)] = true;
  auto length = c.dims(0)->begin();
  for (std::size_t i = 0; i < dims.size(); ++i)
    dims[i] = added[i] || length == c.dims(0)->end() ? dim_of(1) : *length++;
  c.set(0, c.dtype(0), dims);
  if (const auto numbers = c.numbers(0); numbers && dims.size() == 1) c.set_numbers(0, *numbers);
}

}  // namespace

void register_reshape(Registry& registry) {
  registry.add({.op = "Reshape", .make = make_reshape, .infer = infer_reshape});
  registry.add({.op = "Flatten", .make = make_flatten, .infer = infer_flatten});
  registry.add({.op = "Squeeze", .make = make_squeeze, .infer = infer_squeeze});
  registry.add({.op = "Unsqueeze", .make = make_unsqueeze, .infer = infer_unsqueeze});
}

}  // namespace intaglio
