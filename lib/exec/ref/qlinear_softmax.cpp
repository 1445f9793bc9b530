// com.microsoft.QLinearSoftmax (1): softmax of 8-bit codes from a table of exponentials that is
// aligned with the largest code of each slice. Inputs: X, scale, zero point (without effect), and
// scale and zero point of the result. Before opset 13 (attribute `opset`) a slice reaches from the
// axis to the end.
//
//   e = exp(x_scale * (code + 255 - largest - 255 + headroom))
//   y = round(e * floor(1 / y_scale) / sum of e) + y_zero
//
// headroom keeps the sum of a slice finite; it cancels out, but decides how values round.
#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

using Exponentials = std::array<float, 256>;  // by how far a code is above the lowest

Exponentials exponentials(float scale, std::int64_t length) {
  const double limit = std::numeric_limits<float>::max() / static_cast<float>(length);
  const double headroom = std::max(0.0, std::log(limit) - 5) / static_cast<double>(scale);
  Exponentials table;
  for (int i = 0; i < 256; ++i)
    table[static_cast<std::size_t>(i)] =
        static_cast<float>(std::exp((i - 255 + headroom) * static_cast<double>(scale)));
  return table;
}

template <typename T>
void softmax_slice(const T* x, const AxisView& view, const Exponentials& table, CodeParams to,
                   T* y) {
  const CodeRange range = code_range(dtype_of<T>());
  const float one = std::floor(1.0f / to.scale);
  int largest = x[0];
  for (std::int64_t i = 0; i < view.length; ++i)
    largest = std::max<int>(largest, x[i * view.inner]);
  const auto exponential = [&](std::int64_t i) {
    return table[static_cast<std::size_t>(255 - largest + x[i * view.inner])];
  };
  float sum = 0;
  for (std::int64_t i = 0; i < view.length; ++i) sum += exponential(i);
  for (std::int64_t i = 0; i < view.length; ++i) {
    const auto code = static_cast<std::int32_t>(std::nearbyint(exponential(i) * one / sum));
    y[i * view.inner] = static_cast<T>(std::clamp(code + to.zero, range.lo, range.hi));
  }
}

template <typename T>
Tensor softmax(const Tensor& x, const AxisView& view, float scale, CodeParams to) {
  Tensor y(x.dtype(), x.shape());
  if (x.size() == 0) return y;
  const Exponentials table = exponentials(scale, view.length);
  const T* from = x.data<T>().data();
  T* out = y.mutate<T>().data();
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const std::int64_t at = o * view.length * view.inner + i;
      softmax_slice(from + at, view, table, to, out + at);
    }
  return y;
}

std::unique_ptr<Kernel> make_softmax(const Node& node) {
  const bool flat = node.attr_int("opset") < 13;
  return make_kernel([flat, given = node.attr_int("axis", flat ? 1 : -1)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const std::int64_t axis = normalized_axis(given, x.rank());
    AxisView view(x.shape(), axis);
    if (flat) view.length *= std::exchange(view.inner, 1);
    c.set_output(0, visit_codes(x.dtype(), [&](auto zero) {
                   return softmax<decltype(zero)>(x, view, code_params(c, 1).scale,
                                                  code_params(c, 3));
                 }));
  });
}

}  // namespace

void register_qlinear_softmax(Registry& registry) {
  registry.add({.op = "QLinearSoftmax",
                .domain = "com.microsoft",
                .make = make_softmax,
                .infer = rules::like});
}

}  // namespace intaglio
