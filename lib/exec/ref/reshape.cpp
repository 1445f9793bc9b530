// Reshape, Flatten, Squeeze, Unsqueeze: the same bytes under another shape.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"

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

}  // namespace

void register_reshape(Registry& registry) {
  registry.add({.op = "Reshape", .make = make_reshape});
  registry.add({.op = "Flatten", .make = make_flatten});
  registry.add({.op = "Squeeze", .make = make_squeeze});
  registry.add({.op = "Unsqueeze", .make = make_unsqueeze});
}

}  // namespace intaglio
