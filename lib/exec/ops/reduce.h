// Reductions over any set of axes. A Reduction<T> is a struct with
//   State                       a partial result
//   State start()               that of no elements
//   State step(State, x)        one more element
//   State join(State, State)    of two parts
//   finish(State, count)        the result, converted to T by the caller
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "lib/exec/arguments.h"
#include "lib/exec/nest.h"
#include "lib/exec/ops/elementwise.h"

namespace intaglio {

// Joins a run of elements. Eight independent parts hide the latency of the additions and let the
// compiler use vectors; the order is fixed, so the result is always the same.
template <typename R, typename T>
typename R::State reduce_run(typename R::State state, const T* x, std::int64_t count) {
  constexpr std::int64_t lanes = 8;
  if (count >= lanes) {
    std::array<typename R::State, lanes> parts;
    parts.fill(R::start());
    for (; count >= lanes; count -= lanes, x += lanes)
      for (std::size_t i = 0; i < lanes; ++i)
        parts[i] = R::step(parts[i], static_cast<Compute<T>>(x[i]));
    for (const auto& part : parts) state = R::join(state, part);
  }
  for (; count > 0; --count, ++x) state = R::step(state, static_cast<Compute<T>>(*x));
  return state;
}

// Reduces x to the shape `kept`, which has 1 along the reduced axes and the length of x elsewhere.
template <typename R, typename T>
Tensor reduce(const Tensor& x, const Shape& kept) {
  Tensor result(x.dtype(), kept);
  std::vector<typename R::State> states(static_cast<std::size_t>(result.size()), R::start());
  const auto nest = broadcast_nest<1>(x.shape(), {kept});
  const T* in = x.data<T>().data();
  nest.rows([&, along = nest.inner_strides()[0] == 0](std::int64_t first, const auto& at) {
    auto* state = states.data() + at[0];
    if (along) {
      *state = reduce_run<R>(*state, in + first, nest.inner());
    } else {
      for (std::int64_t i = 0; i < nest.inner(); ++i)
        state[i] = R::step(state[i], static_cast<Compute<T>>(in[first + i]));
    }
  });
  const std::int64_t count = result.size() == 0 ? 0 : x.size() / result.size();
  std::transform(states.begin(), states.end(), result.mutate<T>().begin(),
                 [count](const auto& state) { return static_cast<T>(R::finish(state, count)); });
  return result;
}

// The same for any type; booleans are reduced as 0 and 1.
template <template <typename> typename R>
Tensor reduce_any(const Tensor& x, const Shape& kept) {
  if (x.dtype() == DType::boolean)
    return convert(reduce_any<R>(convert(x, DType::u8), kept), DType::boolean);
  return visit_number(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return reduce<R<T>, T>(x, kept);
  });
}

// axes: an attribute before opset 13 (ReduceSum) and 18 (the others), an input since. Without axes,
// or with an empty list, all are reduced, or none when noop_with_empty_axes is set.
template <template <typename> typename R>
std::unique_ptr<Kernel> make_reduce(const Node& node) {
  return make_kernel([argument = IntsArgument(node, "axes", 1),
                      keep = node.attr_int("keepdims", 1) != 0,
                      noop = node.attr_int("noop_with_empty_axes", 0) != 0](KernelContext& c) {
    const Tensor& x = c.input(0);
    const auto axes = normalized_axes(argument.get(c).value_or(Shape{}), x.rank());
    Shape kept, squeezed;
    for (std::int64_t d = 0; d < x.rank(); ++d) {
      const std::int64_t length = x.dim(static_cast<std::size_t>(d));
      const bool reduced =
          axes.empty() ? !noop : std::find(axes.begin(), axes.end(), d) != axes.end();
      kept.push_back(reduced ? 1 : length);
      if (!reduced) squeezed.push_back(length);
    }
    const Tensor result = reduce_any<R>(x, kept);
    c.set_output(0, keep ? result : result.reshaped(std::move(squeezed)));
  });
}

}  // namespace intaglio
