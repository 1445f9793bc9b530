// Maths element by element: what the unary, binary and comparison operators share.
//
// The loops below are the fast paths: no call and no index arithmetic per element, so that the
// compiler turns them into vector code. Functions are passed as callables whose types are known,
// never as std::function.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/exec/kernel.h"
#include "lib/exec/nest.h"
#include "lib/exec/registry.h"

namespace intaglio {

// The type that arithmetic on an element is done in: half precision is storage only.
template <typename T>
struct ComputeType {
  using type = T;
};
template <>
struct ComputeType<Half> {
  using type = float;
};
template <>
struct ComputeType<BFloat16> {
  using type = float;
};
template <typename T>
using Compute = typename ComputeType<T>::type;

// visit_dtype() for some of the types; the others are Code::unsupported.
[[noreturn]] inline void refuse_type(DType type) {
  throw Error(Code::unsupported, fmt::format("no kernel for elements of type {}", name_of(type)),
              "Export the model with float32 values here.");
}

template <typename F>
decltype(auto) visit_float(DType type, F&& f) {
  switch (type) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::f16:
      return f(Half{});
    case DType::bf16:
      return f(BFloat16{});
    default:
      refuse_type(type);
  }
}

template <typename F>
decltype(auto) visit_integer(DType type, F&& f) {
  switch (type) {
    case DType::u8:
      return f(std::uint8_t{});
    case DType::s8:
      return f(std::int8_t{});
    case DType::u16:
      return f(std::uint16_t{});
    case DType::s16:
      return f(std::int16_t{});
    case DType::u32:
      return f(std::uint32_t{});
    case DType::s32:
      return f(std::int32_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::s64:
      return f(std::int64_t{});
    default:
      refuse_type(type);
  }
}

template <typename F>
decltype(auto) visit_number(DType type, F&& f) {
  return is_float(type) ? visit_float(type, f) : visit_integer(type, f);
}

// The tensor of f(x) for every element x of `in`, whose type is T.
template <typename T, typename Out = T, typename F>
Tensor map(const Tensor& in, F f) {
  Tensor result(dtype_of<Out>(), in.shape());
  result.set_layout(in.layout());
  const T* x = in.data<T>().data();
  Out* y = result.mutate<Out>().data();
  const std::int64_t count = in.size();
  for (std::int64_t i = 0; i < count; ++i)
    y[i] = static_cast<Out>(f(static_cast<Compute<T>>(x[i])));
  return result;
}

// The tensor of f(a, b) under broadcasting. Both operands have elements of type T.
template <typename T, typename Out = T, typename F>
Tensor broadcast_map(const Tensor& left, const Tensor& right, F f) {
  using C = Compute<T>;
  Tensor result(dtype_of<Out>(), broadcast_shapes(left.shape(), right.shape()));
  const auto nest = broadcast_nest<2>(result.shape(), {left.shape(), right.shape()});
  const T* all_a = left.data<T>().data();
  const T* all_b = right.data<T>().data();
  Out* all_y = result.mutate<Out>().data();
  const std::int64_t n = nest.inner();
  const auto [step_a, step_b] = nest.inner_strides();
  nest.rows([&, a_moves = step_a != 0, b_step = step_b](std::int64_t first, const auto& at) {
    const T* a = all_a + at[0];
    const T* b = all_b + at[1];
    Out* y = all_y + first;
    if (a_moves && b_step != 0) {
      for (std::int64_t i = 0; i < n; ++i)
        y[i] = static_cast<Out>(f(static_cast<C>(a[i]), static_cast<C>(b[i])));
    } else if (a_moves) {
      const auto fixed = static_cast<C>(*b);
      for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(f(static_cast<C>(a[i]), fixed));
    } else {
      const auto fixed = static_cast<C>(*a);
      for (std::int64_t i = 0; i < n; ++i)
        y[i] = static_cast<Out>(f(fixed, static_cast<C>(b[i * b_step])));
    }
  });
  return result;
}

// How binary operators before opset 7 broadcast: with broadcast=1, B is aligned with the axes of A
// from `axis` on, or with the last ones. Without these attributes align() returns B as it is, which
// later broadcasting rules take.
class LegacyBroadcast {
 public:
  explicit LegacyBroadcast(const Node& node);
  Tensor align(const Tensor& a, const Tensor& b) const;

 private:
  std::optional<std::int64_t> axis_;
};

// body(a, b) for a body that knows row-major tensors only and cares about the pairing of elements,
// not about their order: when one operand is channels-last, so is the result.
template <typename F>
Tensor in_one_layout(const Tensor& a, const Tensor& b, F body) {
  const bool last = a.layout() == Layout::channels_last || b.layout() == Layout::channels_last;
  const int rank = std::max(a.rank(), b.rank());
  const auto fits = [&](const Tensor& t) {
    return t.layout() == Layout::row_major || t.rank() == rank;
  };
  if (!last || !fits(a) || !fits(b)) return body(to_row_major(a), to_row_major(b));
  const auto stored = [&](const Tensor& t) {
    if (t.size() == 1) return t;
    Shape shape = t.shape();
    shape.insert(shape.begin(), static_cast<std::size_t>(rank) - shape.size(), 1);
    return as_stored(to_channels_last(t.rank() == rank ? t : t.reshaped(std::move(shape))));
  };
  return from_stored(body(stored(a), stored(b)));
}

// A kernel y = body(x), where body maps a Tensor to a Tensor.
template <typename F>
std::unique_ptr<Kernel> make_unary(F body) {
  return make_kernel([body](KernelContext& c) { c.set_output(0, body(c.input(0))); }, Layouts::any);
}

// A kernel y = body(a, b) on Tensors, with the alignment of old opsets.
template <typename F>
std::unique_ptr<Kernel> make_binary(const Node& node, F body) {
  return make_kernel(
      [body, legacy = LegacyBroadcast(node)](KernelContext& c) {
        c.set_output(0, in_one_layout(c.input(0), legacy.align(c.input(0), c.input(1)), body));
      },
      Layouts::any);
}

}  // namespace intaglio
