// ScatterElements (Scatter before opset 11) and ScatterND: a copy of the data with some elements
// replaced by, or combined with, updates.
#include <fmt/format.h>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/indices.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

enum class Reduction { none, add, mul, max, min };

Reduction reduction_of(const Node& node) {
  const std::string name = node.attr_string("reduction", "none");
  if (name == "none") return Reduction::none;
  if (name == "add") return Reduction::add;
  if (name == "mul") return Reduction::mul;
  if (name == "max") return Reduction::max;
  if (name == "min") return Reduction::min;
  throw Error(Code::model, "unknown reduction '" + name + "'");
}

template <typename T>
T combine(Reduction reduction, T old, T update) {
  // Integers wrap: see arithmetic.cpp.
  using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, Compute<T>>;
  const auto a = static_cast<Wide>(old), b = static_cast<Wide>(update);
  switch (reduction) {
    case Reduction::add:
      return static_cast<T>(a + b);
    case Reduction::mul:
      return static_cast<T>(a * b);
    case Reduction::max:
      return old < update ? update : old;
    case Reduction::min:
      return update < old ? update : old;
    default:
      return update;
  }
}

// Combines `block` updates at every place that `indices` addresses.
template <typename Indices>
void scatter(KernelContext& c, Reduction reduction, const Indices& indices, std::int64_t block) {
  const Tensor& updates = c.input(2);
  Tensor result = c.input(0);
  visit_dtype(result.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto from = updates.data<T>();
    const auto to = result.mutate<T>();
    indices.each([&](std::int64_t i, std::int64_t place) {
      for (std::int64_t j = 0; j < block; ++j) {
        T& element = to[static_cast<std::size_t>(place * block + j)];
        element = combine(reduction, element, from[static_cast<std::size_t>(i * block + j)]);
      }
    });
  });
  c.set_output(0, std::move(result));
}

void require_updates(const Tensor& updates, const Shape& wanted) {
  if (updates.shape() != wanted)
    throw Error(Code::model, fmt::format("updates of shape {} must have shape {}",
                                         to_string(updates.shape()), to_string(wanted)));
}

std::unique_ptr<Kernel> make_scatter_elements(const Node& node) {
  return make_kernel(
      [axis = node.attr_int("axis", 0), reduction = reduction_of(node)](KernelContext& c) {
        require_updates(c.input(2), c.input(1).shape());
        scatter(c, reduction, ElementIndices(c.input(0).shape(), c.input(1), axis), 1);
      });
}

std::unique_ptr<Kernel> make_scatter_nd(const Node& node) {
  return make_kernel([reduction = reduction_of(node)](KernelContext& c) {
    const Shape &data = c.input(0).shape(), &indices = c.input(1).shape();
    const BlockIndices at(data, c.input(1), 0);
    Shape wanted(indices.begin(), indices.end() - 1);
    wanted.insert(wanted.end(), data.end() - at.block_rank(), data.end());
    require_updates(c.input(2), wanted);
    scatter(c, reduction, at, at.block());
  });
}

}  // namespace

void register_scatter(Registry& registry) {
  registry.add({.op = "Scatter", .since = 9, .make = make_scatter_elements, .infer = rules::like});
  registry.add(
      {.op = "ScatterElements", .since = 11, .make = make_scatter_elements, .infer = rules::like});
  registry.add({.op = "ScatterND", .since = 11, .make = make_scatter_nd, .infer = rules::like});
}

}  // namespace intaglio
