#include "lib/exec/ops/convolution.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/simd.h"
#include "lib/exec/ops/plane.h"
#include "lib/exec/ops/window_columns.h"

namespace intaglio {
namespace {

// out[x] = bias + sum of weights[t] * row[taps[t] + x]; reads up to Plane::slack elements too many.
INTAGLIO_CLONES void weigh_row(const float* row, const std::int64_t* taps, const float* weights,
                               std::int64_t count, float bias, float* out, std::int64_t width) {
  constexpr std::int64_t step = 4 * vector_width;
  static_assert(step <= Plane<float>::slack);
  for (std::int64_t x = 0; x < width; x += step) {
    Vector16 sum[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[v] = Vector16{} + bias;
    const bool narrow = width - x <= vector_width;
    for (std::int64_t t = 0; t < count; ++t) {
      const float* from = row + taps[t] + x;
      sum[0] += weights[t] * *reinterpret_cast<const Vector16*>(from);
      if (narrow) continue;
#pragma GCC unroll 4
      for (int v = 1; v < 4; ++v)
        sum[v] += weights[t] * *reinterpret_cast<const Vector16*>(from + v * vector_width);
    }
    if (width - x >= step) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) *reinterpret_cast<Vector16*>(out + x + v * vector_width) = sum[v];
    } else {
      std::copy_n(reinterpret_cast<const float*>(sum), width - x, out + x);
    }
  }
}

// Strips of so many columns that a strip of the column matrix stays in the second-level cache.
std::int64_t strip_width(std::int64_t depth) {
  constexpr std::int64_t floats_in_cache = 128 * 1024;
  return std::clamp<std::int64_t>(floats_in_cache / std::max<std::int64_t>(depth, 1) / 96 * 96, 96,
                                  960);
}

}  // namespace

ConvolutionShape::ConvolutionShape(Shape filters, std::int64_t group)
    : filters_(std::move(filters)), group_(group) {
  if (filters_.size() < 3)
    throw Error(Code::model,
                fmt::format("filters of shape {} have no spatial axis", to_string(filters_)));
  if (group < 1 || group > std::max<std::int64_t>(1, outputs()) || outputs() % group != 0)
    throw Error(Code::model,
                fmt::format("{} filters do not split into {} groups", outputs(), group));
}

Convolution::Convolution(const Tensor& filters, std::int64_t group)
    : ConvolutionShape(filters.shape(), group), filters_(filters) {
  const Shape& shape = filters.shape();
  if (shape[1] == 1) return;
  const std::int64_t rows = shape[0] / group, depth = product(shape, 1, shape.size());
  const float* data = filters.data<float>().data();
  for (std::int64_t g = 0; g < group; ++g)
    packed_.emplace_back(MatrixRef{data + g * rows * depth, rows, depth, depth, 1});
}

void ConvolutionShape::require_bias(const Shape& bias) const {
  if (bias != Shape{outputs()})
    throw Error(Code::model, fmt::format("a bias of shape {} does not fit {} filters",
                                         to_string(bias), outputs()));
}

Window ConvolutionShape::place(const WindowAttrs& attrs, const Shape& input) const {
  const Shape& shape = filters_;
  if (input.size() != shape.size() || input[1] != channels())
    throw Error(Code::model,
                fmt::format("filters of shape {} in {} groups do not fit an input of shape {}",
                            to_string(shape), group_, to_string(input)));
  const auto kernel = std::span(shape).subspan(2);
  if (!attrs.kernel.empty() && !std::ranges::equal(attrs.kernel, kernel))
    throw Error(Code::model, fmt::format("kernel_shape {} contradicts filters of shape {}",
                                         to_string(attrs.kernel), to_string(shape)));
  return place_window(attrs, std::span(input).subspan(2), kernel);
}

void Convolution::run(const float* image, const Window& window, const float* bias,
                      float* out) const {
  dispatch(image, window, bias, out);
}

void Convolution::run(const float* image, const Window& window, std::int32_t* out) const {
  dispatch(image, window, nullptr, out);
}

template <typename Out>
void Convolution::dispatch(const float* image, const Window& window, const float* bias,
                           Out* out) const {
  if (packed_.empty()) return depthwise(image, window, bias, out);
  const std::int64_t rows = outputs() / group(), pixels = element_count(window.output);
  for (std::int64_t g = 0; g < group(); ++g)
    by_columns(packed_[static_cast<std::size_t>(g)],
               image + g * filters_.dim(1) * element_count(window.input), window,
               bias != nullptr ? bias + g * rows : nullptr, out + g * rows * pixels);
}

template <typename Out>
void Convolution::depthwise(const float* image, const Window& window, const float* bias,
                            Out* out) const {
  const std::int64_t taps = element_count(window.kernel), width = window.output.back();
  const std::int64_t pixels = element_count(window.output), area = element_count(window.input);
  if (pixels == 0) return;
  const std::int64_t multiplier = outputs() / group();
  Plane<float> plane(window, 0.0f);
  std::vector<float> line(static_cast<std::size_t>(width));
  const float* weights = filters_.data<float>().data();
  for (std::int64_t m = 0; m < outputs(); ++m, weights += taps) {
    if (m % multiplier == 0) plane.load(image + m / multiplier * area);
    for (std::int64_t row = 0; row < plane.rows(); ++row, out += width) {
      const float start = bias != nullptr ? bias[m] : 0.0f;
      if constexpr (std::is_same_v<Out, float>) {
        weigh_row(plane.row(row), plane.taps().data(), weights, taps, start, out, width);
      } else {  // exact in float up to 256 taps, in blocks beyond
        std::fill_n(out, width, 0);
        for (std::int64_t t = 0; t < taps; t += block_depth) {
          weigh_row(plane.row(row), plane.taps().data() + t, weights + t,
                    std::min(block_depth, taps - t), 0.0f, line.data(), width);
          for (std::int64_t x = 0; x < width; ++x)
            out[x] += static_cast<Out>(line[static_cast<std::size_t>(x)]);
        }
      }
    }
  }
}

template <typename Out>
void Convolution::by_columns(const PackedLeft& filters, const float* image, const Window& window,
                             const float* bias, Out* out) const {
  const std::int64_t pixels = element_count(window.output), step = strip_width(filters.depth());
  for (std::int64_t first = 0; first < pixels; first += step) {
    const std::int64_t count = std::min(step, pixels - first);
    const PackedRight columns = window_columns(window, image, filters_.dim(1), first, count);
    if constexpr (std::is_same_v<Out, float>) {
      gemm(filters, columns, {.c = out + first, .ldc = pixels, .row_bias = bias});
    } else {
      std::vector<float> block(static_cast<std::size_t>(filters.rows() * count));
      for (std::int64_t k = 0; k < filters.depth(); k += block_depth) {
        gemm(filters, columns,
             {.c = block.data(),
              .ldc = count,
              .first = k,
              .last = std::min(k + block_depth, filters.depth())});
        for (std::int64_t m = 0; m < filters.rows(); ++m)
          for (std::int64_t j = 0; j < count; ++j) {
            const Out sum = static_cast<Out>(block[static_cast<std::size_t>(m * count + j)]);
            Out& to = out[m * pixels + first + j];
            to = k == 0 ? sum : wrapping_add(to, sum);
          }
      }
    }
  }
}

}  // namespace intaglio
