#include "lib/exec/ops/resample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/exec/ops/gather_axes.h"

namespace intaglio {
namespace {

struct Tap {
  std::int64_t index;
  float weight;
};
using Taps = std::vector<Tap>;  // no taps: outside of the input

// Where output i lies among the input elements. In float, as other runtimes do: ties depend on it.
float coordinate(const AxisResize& axis, float i, const std::string& mode) {
  const auto in = static_cast<float>(axis.input), out = static_cast<float>(axis.output);
  if (mode == "asymmetric") return i / axis.scale;
  if (mode == "half_pixel") return (i + 0.5f) / axis.scale - 0.5f;
  if (mode == "pytorch_half_pixel") return out > 1 ? (i + 0.5f) / axis.scale - 0.5f : 0.0f;
  if (mode == "tf_half_pixel_for_nn") return (i + 0.5f) / axis.scale;
  if (mode == "align_corners") return out == 1 ? 0.0f : i * (in - 1) / (out - 1);
  if (mode == "half_pixel_symmetric") {
    const float adjustment = out / (axis.scale * in);
    return in / 2 * (1 - adjustment) + (i + 0.5f) / axis.scale - 0.5f;
  }
  if (mode == "tf_crop_and_resize")
    return out > 1 ? axis.start * (in - 1) + i * (axis.end - axis.start) * (in - 1) / (out - 1)
                   : 0.5f * (axis.start + axis.end) * (in - 1);
  throw Error(Code::model, fmt::format("coordinate_transformation_mode '{}' is not defined", mode));
}

std::int64_t nearest_index(float x, const std::string& mode, bool shrinks) {
  const auto whole = [](float v) { return static_cast<std::int64_t>(v); };
  if (mode == "simple") return shrinks ? whole(std::ceil(x)) : whole(x);
  if (mode == "round_prefer_floor") return whole(std::ceil(x - 0.5f));
  if (mode == "round_prefer_ceil") return whole(std::floor(x + 0.5f));
  if (mode == "floor") return whole(std::floor(x));
  if (mode == "ceil") return whole(std::ceil(x));
  throw Error(Code::model, fmt::format("nearest_mode '{}' is not defined", mode));
}

float triangle(float x) { return std::max(0.0f, 1 - std::abs(x)); }

// Keys' cubic convolution kernel with free parameter a.
float cubic(float x, float a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0f;
}

// The neighbours of x and their weights, which sum up to 1. An antialiased filter is as much wider
// as the axis shrinks.
Taps interpolate(const AxisResize& axis, float x, const ResampleOptions& options) {
  const bool is_cubic = options.mode == "cubic";
  const float stretch = options.antialias ? std::min(axis.scale, 1.0f) : 1.0f;
  const auto left = static_cast<std::int64_t>(std::ceil(x)) - 1;  // the pixel strictly left of x
  const float ratio = x - static_cast<float>(left);
  const auto first =
      static_cast<std::int64_t>(std::floor((is_cubic ? -2.0f : -1.0f) / stretch)) + 1;
  Taps taps;
  float sum = 0;
  for (std::int64_t i = first; i < 2 - first; ++i) {
    const float distance = (static_cast<float>(i) - ratio) * stretch;
    float weight = is_cubic ? cubic(distance, options.cubic_a) : triangle(distance);
    const std::int64_t index = left + i;
    if (options.exclude_outside && (index < 0 || index >= axis.input)) weight = 0;
    if (weight != 0) taps.push_back({std::clamp<std::int64_t>(index, 0, axis.input - 1), weight});
    sum += weight;
  }
  for (Tap& tap : taps) tap.weight /= sum;
  return taps;
}

std::vector<Taps> table(const AxisResize& axis, const ResampleOptions& options) {
  const bool crops = options.coordinates == "tf_crop_and_resize";
  std::vector<Taps> result;
  for (std::int64_t i = 0; i < axis.output; ++i) {
    const float x = coordinate(axis, static_cast<float>(i), options.coordinates);
    if (!std::isfinite(x) || std::abs(x) > 1e9f)
      throw Error(Code::model, fmt::format("a scale of {} leads outside of the input", axis.scale));
    if (crops && (x < 0 || x > static_cast<float>(axis.input - 1))) {
      result.emplace_back();
    } else if (options.mode == "nearest") {
      const std::int64_t index = nearest_index(x, options.nearest, axis.scale < 1);
      result.push_back({{std::clamp<std::int64_t>(index, 0, axis.input - 1), 1.0f}});
    } else {
      result.push_back(interpolate(axis, x, options));
    }
  }
  return result;
}

// y[o, j, i] = sum of weight * x[o, index, i] over the taps of j
Tensor apply(const Tensor& x, std::size_t axis, const std::vector<Taps>& taps, float outside) {
  Shape shape = x.shape();
  shape[axis] = static_cast<std::int64_t>(taps.size());
  Tensor y(DType::f32, shape);
  const std::int64_t outer = product(shape, 0, axis),
                     inner = product(shape, axis + 1, shape.size());
  const float* in = x.data<float>().data();
  float* out = y.mutate<float>().data();
  for (std::int64_t o = 0; o < outer; ++o, in += x.dim(axis) * inner)
    for (const Taps& list : taps) {
      std::fill_n(out, inner, list.empty() ? outside : 0.0f);
      for (const Tap& tap : list)
        for (std::int64_t i = 0; i < inner; ++i) out[i] += tap.weight * in[tap.index * inner + i];
      out += inner;
    }
  return y;
}

}  // namespace

Tensor resample(const Tensor& x, const std::vector<AxisResize>& axes,
                const ResampleOptions& options) {
  if (options.mode != "nearest" && options.mode != "linear" && options.mode != "cubic")
    throw Error(Code::model, fmt::format("mode '{}' is not defined", options.mode));
  Shape shape;
  for (const AxisResize& axis : axes) shape.push_back(axis.output);
  const Tensor empty(x.dtype(), shape);  // fails for absurd lengths before any table is made
  if (empty.size() == 0) return empty;
  if (x.size() == 0) throw Error(Code::model, "an input without elements cannot be resized");

  const Tensor outside = convert(Tensor::scalar(options.extrapolation), x.dtype());
  if (options.mode == "nearest") {
    AxisIndices grid;
    for (const AxisResize& axis : axes) {
      grid.emplace_back();
      for (const Taps& taps : table(axis, options))
        grid.back().push_back(taps.empty() ? -1 : taps.front().index);
    }
    return gather_axes(x, grid, outside);
  }
  Tensor y = convert(x, DType::f32);
  std::vector<std::vector<Taps>> tables;
  for (const AxisResize& axis : axes) tables.push_back(table(axis, options));
  // What lies outside along one axis stays so along the others: those are interpolated first.
  for (const bool with_outside : {false, true})
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const bool has_outside =
          std::ranges::any_of(tables[a], [](const Taps& t) { return t.empty(); });
      const bool same = axes[a].input == axes[a].output && axes[a].scale == 1.0f &&
                        options.coordinates != "tf_crop_and_resize";
      if (!same && has_outside == with_outside) y = apply(y, a, tables[a], options.extrapolation);
    }
  return convert(y, x.dtype());
}

}  // namespace intaglio
