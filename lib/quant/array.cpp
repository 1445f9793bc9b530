#include "lib/quant/array.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "lib/quant/half_precision.h"
#include "lib/tensor/code_of.h"

namespace intaglio {
namespace {

// Calls body(channel, begin, end) for each run of elements that share a channel, in memory order.
template <typename F>
void for_each_run(const Shape& shape, std::optional<int> axis, F&& body) {
  if (!axis) {
    body(std::size_t{0}, std::size_t{0}, static_cast<std::size_t>(element_count(shape)));
    return;
  }
  const auto a = static_cast<std::size_t>(*axis);
  const auto outer = static_cast<std::size_t>(product(shape, 0, a));
  const auto channels = static_cast<std::size_t>(shape[a]);
  const auto inner = static_cast<std::size_t>(product(shape, a + 1, shape.size()));
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t c = 0; c < channels; ++c)
      body(c, (o * channels + c) * inner, (o * channels + c + 1) * inner);
}

}  // namespace

bool fits(const QParams& params, const Shape& shape) {
  if (is_float(params.type)) return true;
  if (params.axis && (*params.axis < 0 || *params.axis >= std::ssize(shape))) return false;
  const std::int64_t channels = params.axis ? shape[static_cast<std::size_t>(*params.axis)] : 1;
  return std::ssize(params.scale) == channels && std::ssize(params.zero_point) == channels;
}

std::vector<Range> ranges_of(const Tensor& tensor, std::optional<int> axis) {
  const auto x = tensor.data<float>();
  std::vector<Range> ranges(
      axis ? static_cast<std::size_t>(tensor.dim(static_cast<std::size_t>(*axis))) : 1,
      {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()});
  for_each_run(tensor.shape(), axis, [&](std::size_t c, std::size_t begin, std::size_t end) {
    Range& range = ranges[c];
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(x[i]))
        throw Error(Code::model, fmt::format("element {} is {}", i, x[i]),
                    "Mend the weights, or exclude the node with `exclude`.");
      range.lo = std::min(range.lo, x[i]);
      range.hi = std::max(range.hi, x[i]);
    }
  });
  for (Range& range : ranges)
    if (range.lo > range.hi) range = {0, 0};  // no elements
  return ranges;
}

std::vector<float> channel_values(const Tensor& tensor, std::optional<int> axis,
                                  std::size_t channel) {
  const auto x = tensor.data<float>();
  if (!axis) return {x.begin(), x.end()};
  const auto a = static_cast<std::size_t>(*axis);
  const auto inner =
      static_cast<std::size_t>(product(tensor.shape(), a + 1, tensor.shape().size()));
  const std::size_t stride = inner * static_cast<std::size_t>(tensor.dim(a));
  std::vector<float> values;
  for (std::size_t at = channel * inner; at < x.size(); at += stride)
    values.insert(values.end(), x.begin() + static_cast<std::ptrdiff_t>(at),
                  x.begin() + static_cast<std::ptrdiff_t>(at + inner));
  return values;
}

Tensor quantize(const Tensor& tensor, const QParams& params, const Scheme& scheme) {
  if (is_half(params.type)) return to_half(tensor, params.type);
  const auto x = tensor.data<float>();
  const Levels levels = levels_of(scheme);
  const auto lo = static_cast<float>(levels.lo), hi = static_cast<float>(levels.hi);
  Tensor codes(params.type, tensor.shape());
  visit_dtype(params.type, [&](auto zero) {
    using T = decltype(zero);
    const auto q = codes.mutate<T>();
    for_each_run(tensor.shape(), params.axis,
                 [&](std::size_t c, std::size_t begin, std::size_t end) {
                   const float scale = params.scale[c];
                   const auto shift = static_cast<float>(params.zero_point[c]);
                   for (std::size_t i = begin; i < end; ++i)
                     q[i] = static_cast<T>(code_of(x[i], scale, shift, lo, hi));
                 });
  });
  return codes;
}

std::uint64_t count_clipped(const Tensor& tensor, const QParams& params, const Scheme& scheme) {
  if (is_half(params.type)) return half_loss(tensor, params.type).beyond;
  const auto x = tensor.data<float>();
  const Levels levels = levels_of(scheme);
  std::uint64_t clipped = 0;
  for_each_run(tensor.shape(), params.axis, [&](std::size_t c, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float code =
          unclamped_code(x[i], params.scale[c], static_cast<float>(params.zero_point[c]));
      clipped += code < static_cast<float>(levels.lo) || code > static_cast<float>(levels.hi);
    }
  });
  return clipped;
}

Tensor dequantize(const Tensor& codes, const QParams& params) {
  if (is_half(params.type)) return convert(codes, DType::f32);
  Tensor result(DType::f32, codes.shape());
  const auto x = result.mutate<float>();
  visit_dtype(codes.dtype(), [&](auto zero) {
    const auto q = codes.data<decltype(zero)>();
    for_each_run(codes.shape(), params.axis,
                 [&](std::size_t c, std::size_t begin, std::size_t end) {
                   for (std::size_t i = begin; i < end; ++i)
                     x[i] = (static_cast<float>(q[i]) - static_cast<float>(params.zero_point[c])) *
                            params.scale[c];
                 });
  });
  return result;
}

double sqnr_db(const Tensor& x, const Tensor& y) {
  const auto a = x.data<float>(), b = y.data<float>();
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    signal += static_cast<double>(a[i]) * a[i];
    noise += d * d;
  }
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

int guard_bias_overflow(const Tensor& bias, float input_scale, QParams& weights) {
  constexpr double limit = 1 << 29;
  const auto b = bias.data<float>();
  const std::vector<float> before = weights.scale;
  for (std::size_t i = 0; i < b.size(); ++i) {
    float& scale = weights.scale[i % weights.scale.size()];
    const double least =
        std::abs(static_cast<double>(b[i])) / (static_cast<double>(input_scale) * limit);
    if (scale < least)
      scale = std::nextafter(static_cast<float>(least), std::numeric_limits<float>::max());
  }
  int raised = 0;
  for (std::size_t i = 0; i < before.size(); ++i) raised += weights.scale[i] != before[i];
  return raised;
}

void refine_dead_channels(const Tensor& weights, const Tensor& bias, float input_scale,
                          QParams& params) {
  const std::size_t count = params.scale.size();
  const auto b = bias.data<float>();
  if (count == 0 || (count > 1 && b.size() != count)) return;
  for (std::size_t c = 0; c < count; ++c) {
    float largest = count > 1 ? std::abs(b[c]) : 0;
    for (std::size_t i = 0; count == 1 && i < b.size(); ++i)
      largest = std::max(largest, std::abs(b[i]));
    const std::vector<float> channel = channel_values(weights, params.axis, c);
    if (largest == 0 || !std::ranges::all_of(channel, [](float w) { return w == 0; })) continue;
    params.scale[c] = std::max(largest / (input_scale * 16777216.0f), FLT_MIN);
  }
}

QuantizedBias quantize_bias(const Tensor& bias, float input_scale, const QParams& weights) {
  const auto b = bias.data<float>();
  QuantizedBias result{Tensor(DType::s32, {bias.size()}), {DType::s32, std::nullopt, {}, {}}};
  const bool per_channel = weights.axis.has_value();
  const std::size_t count = per_channel ? b.size() : 1;
  if (per_channel) result.params.axis = 0;
  result.params.zero_point.assign(count, 0);
  // The product is rounded to float first: that is the scale which the file holds and runtimes
  // check.
  for (std::size_t i = 0; i < count; ++i)
    result.params.scale.push_back(input_scale * weights.scale[i % weights.scale.size()]);
  const auto q = result.codes.mutate<std::int32_t>();
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double scale = result.params.scale[per_channel ? i : 0];
    q[i] = static_cast<std::int32_t>(code_of<double>(static_cast<double>(b[i]), scale, 0,
                                                     std::numeric_limits<std::int32_t>::min(),
                                                     std::numeric_limits<std::int32_t>::max()));
  }
  return result;
}

}  // namespace intaglio
