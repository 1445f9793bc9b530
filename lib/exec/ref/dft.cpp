// DFT (opset 17: axis is an attribute; 20: an input). The last axis holds real and imaginary part,
// or the real one alone. onesided: of real signals only the first half of the spectrum is written;
// the inverse then takes such a half and makes a real signal.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/fourier.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

using Signal = std::vector<std::complex<double>>;

struct DftOptions {
  std::int64_t axis = 1, length = 0;
  bool inverse = false, onesided = false;
};

// The second half of the spectrum of a real signal mirrors the first one.
void mirror(Signal& half) {
  for (std::size_t k = half.size() / 2 + 1; k < half.size(); ++k)
    half[k] = std::conj(half[half.size() - k]);
}

Tensor dft(const Tensor& x, const DftOptions& options) {
  const std::int64_t parts = x.shape().back(), length = options.length;
  const bool halves = options.onesided && !options.inverse;
  const bool real = options.onesided && options.inverse;
  Shape shape = x.shape();
  shape[static_cast<std::size_t>(options.axis)] = halves ? length / 2 + 1 : length;
  shape.back() = real ? 1 : 2;
  Tensor result(DType::f64, shape);
  // Seen along the axis, with what follows it up to the last one.
  const AxisView from(x.shape(), options.axis), to(shape, options.axis);
  const std::int64_t inner = from.inner / std::max<std::int64_t>(parts, 1);
  const double* in = x.data<double>().data();
  double* out = result.mutate<double>().data();
  const std::int64_t known = std::min(from.length, length);
  for (std::int64_t o = 0; o < from.outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      Signal signal(static_cast<std::size_t>(length));
      for (std::int64_t n = 0; n < known; ++n) {
        const double* value = in + ((o * from.length + n) * inner + i) * parts;
        signal[static_cast<std::size_t>(n)] = {value[0], parts == 2 ? value[1] : 0};
      }
      if (real) mirror(signal);
      const Signal spectrum = fourier(signal, options.inverse);
      for (std::int64_t k = 0; k < to.length; ++k) {
        double* value = out + ((o * to.length + k) * inner + i) * shape.back();
        value[0] = spectrum[static_cast<std::size_t>(k)].real();
        if (!real) value[1] = spectrum[static_cast<std::size_t>(k)].imag();
      }
    }
  return result;
}

std::unique_ptr<Kernel> make_dft(const Node& node) {
  const bool inverse = node.attr_int("inverse", 0) != 0;
  const bool onesided = node.attr_int("onesided", 0) != 0;
  const std::int64_t axis = node.opset() < 20 ? node.attr_int("axis", 1) : -2;
  return make_kernel([inverse, onesided, axis](KernelContext& c) {
    const Tensor x = as_precise<double>(c.input(0));
    if (x.rank() < 2 || x.shape().back() < 1 || x.shape().back() > 2)
      throw Error(Code::model,
                  fmt::format("shape {} does not end in 1 or 2 parts", to_string(x.shape())));
    DftOptions options{.axis = axis, .inverse = inverse, .onesided = onesided};
    if (const Tensor* given = c.optional(2)) options.axis = given->item<std::int64_t>();
    options.axis = normalized_axis(options.axis, x.rank());
    if (options.axis == x.rank() - 1) throw Error(Code::model, "the last axis holds the parts");
    const std::int64_t own = x.dim(static_cast<std::size_t>(options.axis));
    options.length = inverse && onesided ? std::max<std::int64_t>(2 * (own - 1), 0) : own;
    if (const Tensor* given = c.optional(1)) options.length = given->item<std::int64_t>();
    if (options.length < 1 || options.length > std::int64_t{1} << 26)
      throw Error(Code::model, fmt::format("a transform of length {}", options.length));
    set_float_output(c, 0, dft(x, options), c.input(0).dtype());
  });
}

void infer_dft(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0) || c.dims(0)->empty()) return;
  const bool onesided = c.node().attr_int("onesided", 0) != 0;
  const bool inverse = c.node().attr_int("inverse", 0) != 0;
  const std::int64_t fallback = c.node().opset() < 20 ? c.node().attr_int("axis", 1) : -2;
  const auto given = c.has(2) ? c.ints(2) : std::vector<std::int64_t>{fallback};
  Dims dims = *c.dims(0);
  if (!given || given->empty()) {
    std::ranges::fill(dims, Dim{});
  } else {
    Dim& axis = dims[axis_of(given->front(), dims)];
    const Dim own = inverse && onesided && axis.known() ? dim_of(2 * (axis.value - 1)) : axis;
    const auto length = c.numbers(1);
    axis = !c.has(1) ? own : length && !length->empty() ? dim_of(length->front()) : Dim{};
    if (onesided && !inverse) axis = axis.known() ? dim_of(axis.value / 2 + 1) : Dim{};
    if (onesided && inverse && !c.has(1) && !axis.known()) axis = {};
  }
  dims.back() = dim_of(onesided && inverse ? 1 : 2);
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_dft(Registry& registry) {
  registry.add({.op = "DFT", .since = 17, .make = make_dft, .infer = infer_dft});
}

}  // namespace intaglio
