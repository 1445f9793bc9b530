// com.microsoft.QLinearAdd and QLinearMul (1): a + b and a * b of 8-bit codes, broadcasting.
// Inputs: A, scale, zero point, B, scale, zero point, and scale and zero point of the result.
//
//   Add: y = saturate(round(a * ra + (b * rb + (y_zero - (a_zero * ra + b_zero * rb))))),
//        ra = a_scale / y_scale, rb = b_scale / y_scale
//   Mul: y = saturate(round((a - a_zero) * (b - b_zero) * (a_scale * b_scale / y_scale) + y_zero))
//
// Additions of products round once (fma) where ONNX Runtime's AVX2 kernel does, and the zero point
// is added before rounding.
#include <cmath>
#include <limits>

#include "lib/base/simd.h"
#include "lib/exec/nest.h"
#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename T>
[[gnu::always_inline]] inline T saturate(float v) {
  constexpr float lo = std::numeric_limits<T>::min(), hi = std::numeric_limits<T>::max();
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return static_cast<T>(static_cast<std::int32_t>((v + magic) - magic));
}

struct Sum {
  float a, b, fixed;
  Sum swapped() const { return {b, a, fixed}; }
  [[gnu::always_inline]] float operator()(std::int32_t x, std::int32_t y) const {
    return std::fma(static_cast<float>(x), a, std::fma(static_cast<float>(y), b, fixed));
  }
};

struct Product {
  std::int32_t a_zero, b_zero;
  float scale, y_zero;
  Product swapped() const { return {b_zero, a_zero, scale, y_zero}; }
  [[gnu::always_inline]] float operator()(std::int32_t x, std::int32_t y) const {
    return static_cast<float>((x - a_zero) * (y - b_zero)) * scale + y_zero;
  }
};

// One run: the codes of x follow one another, those of y too or repeat (step 0).
template <typename T, typename F>
[[gnu::always_inline]] inline void apply(const F f, const T* x, const T* y, std::int64_t step,
                                         std::int64_t count, T* out) {
  if (step != 0) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = saturate<T>(f(x[i], y[i]));
  } else {
    const std::int32_t fixed = *y;
    for (std::int64_t i = 0; i < count; ++i) out[i] = saturate<T>(f(x[i], fixed));
  }
}

INTAGLIO_CLONES void run(const Sum& f, const std::uint8_t* x, const std::uint8_t* y,
                         std::int64_t step, std::int64_t count, std::uint8_t* out) {
  apply(f, x, y, step, count, out);
}
INTAGLIO_CLONES void run(const Sum& f, const std::int8_t* x, const std::int8_t* y,
                         std::int64_t step, std::int64_t count, std::int8_t* out) {
  apply(f, x, y, step, count, out);
}
INTAGLIO_CLONES void run(const Product& f, const std::uint8_t* x, const std::uint8_t* y,
                         std::int64_t step, std::int64_t count, std::uint8_t* out) {
  apply(f, x, y, step, count, out);
}
INTAGLIO_CLONES void run(const Product& f, const std::int8_t* x, const std::int8_t* y,
                         std::int64_t step, std::int64_t count, std::int8_t* out) {
  apply(f, x, y, step, count, out);
}

// The operand that repeats along a run comes second, as in ONNX Runtime: the order of additions
// shows in the last bit.
template <typename T, typename F>
Tensor broadcast(const Tensor& a, const Tensor& b, const F& f) {
  Tensor y(a.dtype(), broadcast_shapes(a.shape(), b.shape()));
  const auto nest = broadcast_nest<2>(y.shape(), {a.shape(), b.shape()});
  const T *all_a = a.data<T>().data(), *all_b = b.data<T>().data();
  T* out = y.mutate<T>().data();
  const auto [step_a, step_b] = nest.inner_strides();
  nest.rows([&, swap = step_a == 0, step = step_a == 0 ? step_a : step_b](std::int64_t first,
                                                                          const auto& at) {
    const T *x = all_a + at[0], *z = all_b + at[1];
    if (swap) {
      run(f.swapped(), z, x, step, nest.inner(), out + first);
    } else {
      run(f, x, z, step, nest.inner(), out + first);
    }
  });
  return y;
}

template <typename F>
void compute(KernelContext& c, const F& f) {
  const Tensor &a = c.input(0), &b = c.input(3);
  if (a.dtype() != b.dtype()) throw Error(Code::model, "the operands differ in type");
  const auto result = [&](const Tensor& x, const Tensor& y) {
    return visit_codes(x.dtype(), [&](auto zero) { return broadcast<decltype(zero)>(x, y, f); });
  };
  if (a.layout() == b.layout() && a.layout() != Layout::row_major && a.shape() == b.shape())
    return c.set_output(0, from_stored(result(as_stored(a), as_stored(b))));
  c.set_output(0, result(to_row_major(a), to_row_major(b)));
}

std::unique_ptr<Kernel> make_add(const Node&) {
  return make_kernel(
      [](KernelContext& c) {
        const CodeParams a = code_params(c, 1), b = code_params(c, 4), y = code_params(c, 6);
        Sum f{a.scale / y.scale, b.scale / y.scale, 0};
        const float zeros =
            std::fma(f.a, static_cast<float>(a.zero), f.b * static_cast<float>(b.zero));
        f.fixed = static_cast<float>(y.zero) - zeros;
        compute(c, f);
      },
      Layouts::any);
}

std::unique_ptr<Kernel> make_mul(const Node&) {
  return make_kernel(
      [](KernelContext& c) {
        const CodeParams a = code_params(c, 1), b = code_params(c, 4), y = code_params(c, 6);
        compute(c,
                Product{a.zero, b.zero, a.scale * b.scale / y.scale, static_cast<float>(y.zero)});
      },
      Layouts::any);
}

void infer_binary(RuleContext& c) { c.set(0, c.dtype(0), broadcast(c.dims(0), c.dims(3))); }

}  // namespace

void register_qlinear_binary(Registry& registry) {
  registry.add(
      {.op = "QLinearAdd", .domain = "com.microsoft", .make = make_add, .infer = infer_binary});
  registry.add(
      {.op = "QLinearMul", .domain = "com.microsoft", .make = make_mul, .infer = infer_binary});
}

}  // namespace intaglio
