#include "lib/exec/ops/codes/quantization.h"

#include <fmt/format.h>

#include "lib/exec/ops/codes/quantization_loops.h"
#include "lib/exec/ops/elementwise.h"

namespace intaglio {
namespace {

std::int32_t zero_at(const Tensor& zero_point, std::int64_t i) {
  return zero_point.defined() ? zero_point.data<std::int32_t>()[static_cast<std::size_t>(i)] : 0;
}

// x, codes and sums run along the map; the codes of one call have type T.
template <typename T>
void quantize_all(const Tensor& x, const Tensor& scale, const Tensor& zero_point,
                  const ScaleMap& map, CodeRange range, T* out) {
  const float* in = x.data<float>().data();
  const float* scales = scale.data<float>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    const bool one_zero = map.inner_step == 0 || !zero_point.defined();
    const std::int64_t step = one_zero ? count : 1;
    for (std::int64_t i = 0; i < count; i += step)
      quantize_run({scales + s + (one_zero ? 0 : i), one_zero ? map.inner_step : 0,
                    zero_at(zero_point, one_zero ? s : s + i), range.lo, range.hi},
                   in + first + i, step, out + first + i);
  });
}

template <typename T>
void dequantize_all(const Tensor& codes, const Tensor& scale, const Tensor& zero_point,
                    const ScaleMap& map, float* out) {
  const T* in = codes.data<T>().data();
  const float* scales = scale.data<float>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    const std::int64_t step = map.inner_step == 0 ? count : 1;
    for (std::int64_t i = 0; i < count; i += step) {
      const std::int64_t at = s + (map.inner_step == 0 ? 0 : i);
      dequantize_run(in + first + i, step, scales[at], zero_at(zero_point, at), out + first + i);
    }
  });
}

template <typename T>
void requantize_all(const Tensor& sums, const Tensor& multiplier, std::int32_t zero,
                    const ScaleMap& map, CodeRange range, T* out) {
  const std::int32_t* in = sums.data<std::int32_t>().data();
  const float* scales = multiplier.data<float>().data();
  if (map.inner == 1 && map.axis_step == 1 && map.block == 1) {  // one multiplier per column
    for (std::int64_t o = 0; o < map.outer; ++o)
      requantize_run({scales, 1, zero, range.lo, range.hi}, in + o * map.length, map.length,
                     out + o * map.length);
    return;
  }
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    requantize_run({scales + s, map.inner_step, zero, range.lo, range.hi}, in + first, count,
                   out + first);
  });
}

}  // namespace

ScaleMap::ScaleMap(const Shape& shape, const Shape& scale, std::int64_t axis,
                   std::int64_t block_size) {
  const auto fail = [&] {
    return Error(Code::model,
                 fmt::format("a scale of shape {} (axis {}, block_size {}) does not fit {}",
                             to_string(scale), axis, block_size, to_string(shape)));
  };
  if (block_size == 0 && element_count(scale) == 1 && scale.size() <= 1) {
    inner = element_count(shape);
    return;
  }
  const auto at =
      static_cast<std::size_t>(normalized_axis(axis, static_cast<std::int64_t>(shape.size())));
  outer = product(shape, 0, at);
  length = shape[at];
  inner = product(shape, at + 1, shape.size());
  axis_step = 1;
  if (block_size == 0) {
    if (scale != Shape{length}) throw fail();
    return;
  }
  Shape blocks = shape;
  if (block_size < 0) throw fail();
  blocks[at] = length / block_size + (length % block_size != 0);
  if (scale != blocks) throw fail();
  block = block_size;
  outer_step = blocks[at] * inner;
  axis_step = inner;
  inner_step = 1;
}

CodeRange code_range(DType type) {
  switch (type) {
    case DType::u2:
      return {0, 3};
    case DType::s2:
      return {-2, 1};
    case DType::u4:
      return {0, 15};
    case DType::s4:
      return {-8, 7};
    case DType::u8:
      return {0, 255};
    case DType::s8:
      return {-128, 127};
    case DType::u16:
      return {0, 65535};
    case DType::s16:
      return {-32768, 32767};
    default:
      throw Error(Code::unsupported, fmt::format("quantization to {}", name_of(type)),
                  "Use integers of 2, 4, 8 or 16 bits.");
  }
}

namespace {

// y = saturate(x / scale + 0): such types have no zero point but 0, and no quotient is -0.
Tensor quantize_to_small_float(const Tensor& x, const Tensor& scale, const ScaleMap& map,
                               DType type) {
  Tensor quotients(DType::f32, x.shape());
  const float *in = x.data<float>().data(), *scales = scale.data<float>().data();
  float* out = quotients.mutate<float>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    for (std::int64_t i = 0; i < count; ++i)
      out[first + i] = in[first + i] / scales[s + i * map.inner_step] + 0.0f;
  });
  return convert(quotients, type);
}

void dequantize_small_float(const Tensor& codes, const Tensor& scale, const ScaleMap& map,
                            float* out) {
  const Tensor values = convert(codes, DType::f32);
  const float *in = values.data<float>().data(), *scales = scale.data<float>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    for (std::int64_t i = 0; i < count; ++i)
      out[first + i] = in[first + i] * scales[s + i * map.inner_step];
  });
}

}  // namespace

Tensor quantize(const Tensor& x, const Tensor& scale, const Tensor& zero_point, const ScaleMap& map,
                DType type) {
  if (is_small_float(type)) return quantize_to_small_float(x, scale, map, type);
  const CodeRange range = code_range(type);
  const auto make = [&](auto zero, DType stored) {
    using T = decltype(zero);
    Tensor codes(stored, x.shape());
    quantize_all(x, scale, zero_point, map, range, codes.mutate<T>().data());
    return codes;
  };
  if (type == DType::u8) return make(std::uint8_t{}, type);
  if (type == DType::s8) return make(std::int8_t{}, type);
  return convert(make(std::int32_t{}, DType::s32), type);
}

Tensor dequantize(const Tensor& codes, const Tensor& scale, const Tensor& zero_point,
                  const ScaleMap& map) {
  Tensor y(DType::f32, codes.shape());
  float* out = y.mutate<float>().data();
  if (codes.dtype() == DType::u8) {
    dequantize_all<std::uint8_t>(codes, scale, zero_point, map, out);
  } else if (codes.dtype() == DType::s8) {
    dequantize_all<std::int8_t>(codes, scale, zero_point, map, out);
  } else if (is_small_float(codes.dtype())) {
    dequantize_small_float(codes, scale, map, out);
  } else {
    dequantize_all<std::int32_t>(convert(codes, DType::s32), scale, zero_point, map, out);
  }
  return y;
}

Tensor requantize(const Tensor& sums, const Tensor& multiplier, const Tensor& zero_point,
                  const ScaleMap& map, DType type) {
  if (type != DType::u8 && type != DType::s8)
    return quantize(dequantize(sums, multiplier, {}, map), Tensor::scalar(1.0f), zero_point,
                    ScaleMap(sums.shape(), {}, 0, 0), type);
  Tensor codes(type, sums.shape());
  const std::int32_t zero = convert(zero_point, DType::s32).item<std::int32_t>();
  const CodeRange range = code_range(type);
  if (type == DType::u8) {
    requantize_all(sums, multiplier, zero, map, range, codes.mutate<std::uint8_t>().data());
  } else {
    requantize_all(sums, multiplier, zero, map, range, codes.mutate<std::int8_t>().data());
  }
  return codes;
}

DynamicCodes quantize_dynamically(const Tensor& x) {
  float lo = 0, hi = 0;
  for (const float v : x.data<float>()) {
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  const float scale = hi > lo ? (hi - lo) / 255.0f : 1.0f;  // all zeros: any scale will do
  const auto zero =
      static_cast<std::int32_t>(std::nearbyint(std::clamp(-lo / scale, 0.0f, 255.0f)));
  return {quantize(x, Tensor::scalar(scale), Tensor::scalar(zero), ScaleMap(x.shape(), {}, 0, 0),
                   DType::u8),
          scale, zero};
}

Tensor centred(const Tensor& codes, const Tensor* zero_point, std::int64_t axis) {
  const Tensor values = convert(codes, DType::f32);
  if (zero_point == nullptr) return values;
  const Tensor zeros = convert(*zero_point, DType::f32);
  Shape shape = zeros.shape();
  if (zeros.size() == 1) {
    shape.clear();
  } else if (shape.size() == 1 && codes.rank() > 0) {
    shape.assign(codes.shape().size(), 1);
    shape[static_cast<std::size_t>(normalized_axis(axis, codes.rank()))] = zeros.size();
  }
  Tensor result =
      broadcast_map<float>(values, zeros.reshaped(shape), [](float a, float b) { return a - b; });
  if (result.shape() != codes.shape())
    throw Error(Code::model, fmt::format("a zero point of shape {} does not fit {}",
                                         to_string(zeros.shape()), to_string(codes.shape())));
  return result;
}

}  // namespace intaglio
