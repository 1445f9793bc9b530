// GridSample (opset 16: bilinear, bicubic, two axes; 20: linear, cubic, any number): reads an image
// at the points of a grid, whose coordinates, x first, are in [-1, 1] inside of it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

enum class Mode { nearest, linear, cubic };
enum class Outside { zeros, border, reflection };

struct SampleOptions {
  Mode mode;
  Outside outside;
  bool align_corners;
};

// The places along one axis that a coordinate reads, and their weights; place -1 is a zero.
template <typename T>
struct AxisTaps {
  std::int64_t count = 0;
  std::array<std::int64_t, 4> places{};
  std::array<T, 4> weights{};
};

template <typename T>
T reflected(T at, T low, T high) {
  const T range = high - low;
  if (!(range > 0)) return low;
  const T distance = at < low ? low - at : at - high;
  const T turns = std::floor(distance / range), rest = distance - turns * range;
  const bool even = std::fmod(turns, T{2}) == 0;
  return (at < low) == even ? low + rest : high - rest;
}

template <typename T>
struct AxisSampler {
  std::int64_t length;
  SampleOptions options;

  T low() const { return options.align_corners ? T{0} : T{-0.5}; }
  T high() const { return static_cast<T>(length - 1) - low(); }

  T denormalized(T x) const {
    const auto n = static_cast<T>(length);
    return options.align_corners ? (x + 1) / 2 * (n - 1) : ((x + 1) * n - 1) / 2;
  }

  std::int64_t place(T at) const {
    if (options.outside == Outside::border) at = std::clamp(at, T{0}, static_cast<T>(length - 1));
    if (options.outside == Outside::reflection && (at < low() || at > high()))
      at = std::clamp(reflected(at, low(), high()), T{0}, static_cast<T>(length - 1));
    return at >= 0 && at < static_cast<T>(length) ? static_cast<std::int64_t>(at) : -1;
  }

  AxisTaps<T> taps(T x) const {
    T at = denormalized(x);
    if (!std::isfinite(at)) at = -1;
    if (options.mode == Mode::nearest) at = std::nearbyint(at);
    if (at < low() || at > high()) {
      // Cubic taps are moved to the border one by one, as in PyTorch and onnxruntime.
      if (options.outside == Outside::border && options.mode != Mode::cubic)
        at = std::clamp(at, T{0}, static_cast<T>(length - 1));
      if (options.outside == Outside::reflection) at = reflected(at, low(), high());
    }
    const T base = std::floor(at), t = at - base;
    if (options.mode == Mode::nearest) return {1, {place(at)}, {T{1}}};
    if (options.mode == Mode::linear) return {2, {place(base), place(base + 1)}, {1 - t, t}};
    // Keys' cubic convolution with a = -0.75.
    constexpr T a = T{-0.75};
    const auto near = [&](T d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    const auto far = [&](T d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    return {4,
            {place(base - 1), place(base), place(base + 1), place(base + 2)},
            {far(t + 1), near(t), near(1 - t), far(2 - t)}};
  }
};

// The sum over all combinations of taps, one per axis, outermost axis first.
template <typename T>
T weighted(const T* image, std::span<const AxisTaps<T>> taps,
           std::span<const std::int64_t> strides) {
  if (taps.empty()) return *image;
  T sum = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(taps[0].count); ++i)
    if (taps[0].places[i] >= 0)
      sum += taps[0].weights[i] *
             weighted(image + taps[0].places[i] * strides[0], taps.subspan(1), strides.subspan(1));
  return sum;
}

template <typename T>
Tensor grid_sample(const Tensor& x, const Tensor& grid, const SampleOptions& options) {
  const auto axes = static_cast<std::size_t>(x.rank()) - 2;
  Shape shape = {x.dim(0), x.dim(1)};
  shape.insert(shape.end(), grid.shape().begin() + 1, grid.shape().end() - 1);
  Tensor y(dtype_of<T>(), shape);
  const std::int64_t points = product(shape, 2, shape.size()), channels = x.dim(1);
  const std::int64_t pixels = product(x.shape(), 2, x.shape().size());
  if (y.size() == 0) return y;
  if (pixels == 0) throw Error(Code::model, "an image without pixels");
  const Shape strides = strides_of(std::span(x.shape()).subspan(2));
  const T* at = grid.data<T>().data();
  T* out = y.template mutate<T>().data();
  std::vector<AxisTaps<T>> taps(axes);
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    for (std::int64_t p = 0; p < points; ++p, at += axes) {
      for (std::size_t a = 0; a < axes; ++a)
        taps[a] = AxisSampler<T>{x.dim(2 + a), options}.taps(at[axes - 1 - a]);
      for (std::int64_t c = n * channels; c < (n + 1) * channels; ++c)
        out[c * points + p] = weighted<T>(x.data<T>().data() + c * pixels, taps, strides);
    }
  return y;
}

SampleOptions read_options(const Node& node) {
  const std::string mode = node.attr_string("mode", "linear");
  const std::string outside = node.attr_string("padding_mode", "zeros");
  SampleOptions o{Mode::linear, Outside::zeros, node.attr_int("align_corners", 0) != 0};
  if (mode == "nearest")
    o.mode = Mode::nearest;
  else if (mode == "cubic" || mode == "bicubic")
    o.mode = Mode::cubic;
  else if (mode != "linear" && mode != "bilinear")
    throw Error(Code::model, fmt::format("mode '{}' is not defined", mode));
  if (outside == "border")
    o.outside = Outside::border;
  else if (outside == "reflection")
    o.outside = Outside::reflection;
  else if (outside != "zeros")
    throw Error(Code::model, fmt::format("padding_mode '{}' is not defined", outside));
  return o;
}

std::unique_ptr<Kernel> make_grid_sample(const Node& node) {
  return make_kernel([options = read_options(node)](KernelContext& c) {
    const Tensor &x = c.input(0), &grid = c.input(1);
    if (x.rank() < 3 || grid.rank() != x.rank() || grid.dim(0) != x.dim(0) ||
        grid.shape().back() != x.rank() - 2)
      throw Error(Code::model, fmt::format("a grid of shape {} for an image of shape {}",
                                           to_string(grid.shape()), to_string(x.shape())));
    visit_precision(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      set_float_output(c, 0, grid_sample<T>(as_precise<T>(x), as_precise<T>(grid), options),
                       x.dtype());
    });
  });
}

void infer_grid_sample(RuleContext& c) {
  c.set(0, c.dtype(0));
  const auto &x = c.dims(0), &grid = c.dims(1);
  if (!x && !grid) return;
  Dims dims(x ? x->size() : grid->size());
  for (std::size_t i = 0; x && i < 2; ++i) dims.at(i) = x->at(i);
  for (std::size_t i = 2; grid && i < dims.size(); ++i) dims[i] = grid->at(i - 1);
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_grid_sample(Registry& registry) {
  registry.add(
      {.op = "GridSample", .since = 16, .make = make_grid_sample, .infer = infer_grid_sample});
}

}  // namespace intaglio
