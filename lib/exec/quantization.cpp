#include "lib/exec/quantization.h"

#include <fmt/format.h>

#include <limits>

#include "lib/exec/elementwise.h"
#include "lib/exec/simd.h"

namespace intaglio {
namespace {

// Clamping comes first, which is the same for whole bounds, sends NaN to the lower one and keeps
// the sum below in the range where adding 1.5 * 2^23 rounds to the nearest integer, halves to even.
INTAGLIO_CLONES void quantize_run(const float* x, std::int64_t count, const float* scale,
                                  std::int64_t step, float zero, CodeRange range,
                                  std::int32_t* out) {
  const float lo = static_cast<float>(range.lo) - zero, hi = static_cast<float>(range.hi) - zero;
  constexpr float magic = 12582912.0f;
  for (std::int64_t i = 0; i < count; ++i) {
    float v = x[i] / scale[i * step];
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    out[i] = static_cast<std::int32_t>((v + magic) - magic + zero);
  }
}

// In double, where the difference of two 32-bit integers is exact.
INTAGLIO_CLONES void dequantize_run(const std::int32_t* codes, std::int64_t count, float scale,
                                    std::int32_t zero, float* out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(static_cast<double>(codes[i]) - zero) * scale;
}

// step: 0 when all sums have one multiplier, 1 when each has its own. Clamping stands between the
// product and the addition, so that the two are not fused into one rounding.
template <typename T>
[[gnu::always_inline]] inline void requantize_run(const std::int32_t* sums, std::int64_t count,
                                                  const float* multiplier, std::int64_t step,
                                                  std::int32_t zero, T* out) {
  const float lo = static_cast<float>(std::numeric_limits<T>::min() - zero);
  const float hi = static_cast<float>(std::numeric_limits<T>::max() - zero);
  constexpr float magic = 12582912.0f;
  const auto code = [&](std::int32_t sum, float factor) {
    float v = static_cast<float>(sum) * factor;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    return static_cast<T>(static_cast<std::int32_t>((v + magic) - magic) + zero);
  };
  if (step == 0) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = code(sums[i], *multiplier);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i] = code(sums[i], multiplier[i]);
  }
}

INTAGLIO_CLONES void requantize_clone(const std::int32_t* sums, std::int64_t count,
                                      const float* multiplier, std::int64_t step,
                                      std::int32_t zero, std::uint8_t* out) {
  requantize_run(sums, count, multiplier, step, zero, out);
}
INTAGLIO_CLONES void requantize_clone(const std::int32_t* sums, std::int64_t count,
                                      const float* multiplier, std::int64_t step,
                                      std::int32_t zero, std::int8_t* out) {
  requantize_run(sums, count, multiplier, step, zero, out);
}

template <typename T>
void requantize_runs(const Tensor& sums, const Tensor& multiplier, std::int32_t zero,
                     const ScaleMap& map, T* out) {
  const std::int32_t* in = sums.data<std::int32_t>().data();
  const float* scales = multiplier.data<float>().data();
  if (map.inner == 1 && map.axis_step == 1 && map.block == 1) {  // one multiplier per column
    for (std::int64_t o = 0; o < map.outer; ++o)
      requantize_clone(in + o * map.length, map.length, scales, 1, zero, out + o * map.length);
    return;
  }
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    requantize_clone(in + first, count, scales + s, map.inner_step, zero, out + first);
  });
}

template <typename T>
void pack_nibbles(std::span<const std::int32_t> codes, T* out) {
  for (std::size_t i = 0; i < codes.size(); i += 2) {
    const std::int32_t high = i + 1 < codes.size() ? codes[i + 1] : 0;
    out[i / 2] = static_cast<T>((codes[i] & 15) | (high & 15) << 4);
  }
}

std::int32_t zero_at(const Tensor& zero_point, std::int64_t i) {
  return zero_point.defined() ? zero_point.data<std::int32_t>()[static_cast<std::size_t>(i)] : 0;
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
                  "Use 4, 8 or 16 bit integers.");
  }
}

Tensor quantize(const Tensor& x, const Tensor& scale, const Tensor& zero_point, const ScaleMap& map,
                DType type) {
  const CodeRange range = code_range(type);
  Tensor codes(DType::s32, x.shape());
  const float* in = x.data<float>().data();
  const float* scales = scale.data<float>().data();
  std::int32_t* out = codes.mutate<std::int32_t>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    if (map.inner_step == 0 || !zero_point.defined())
      return quantize_run(in + first, count, scales + s, map.inner_step,
                          static_cast<float>(zero_at(zero_point, s)), range, out + first);
    for (std::int64_t i = 0; i < count; ++i)
      quantize_run(in + first + i, 1, scales + s + i, 0,
                   static_cast<float>(zero_at(zero_point, s + i)), range, out + first + i);
  });
  return narrow(codes, type);
}

Tensor dequantize(const Tensor& codes, const Tensor& scale, const Tensor& zero_point,
                  const ScaleMap& map) {
  const Tensor wide = convert(codes, DType::s32);
  Tensor y(DType::f32, codes.shape());
  const std::int32_t* in = wide.data<std::int32_t>().data();
  const float* scales = scale.data<float>().data();
  float* out = y.mutate<float>().data();
  map.for_each_run([&](std::int64_t first, std::int64_t count, std::int64_t s) {
    if (map.inner_step == 0)
      return dequantize_run(in + first, count, scales[s], zero_at(zero_point, s), out + first);
    for (std::int64_t i = 0; i < count; ++i)
      dequantize_run(in + first + i, 1, scales[s + i], zero_at(zero_point, s + i), out + first + i);
  });
  return y;
}

Tensor requantize(const Tensor& sums, const Tensor& multiplier, const Tensor& zero_point,
                  const ScaleMap& map, DType type) {
  if (type == DType::u8 || type == DType::s8) {
    Tensor codes(type, sums.shape());
    const std::int32_t zero = zero_point.item<std::int32_t>();
    if (type == DType::u8) {
      requantize_runs(sums, multiplier, zero, map, codes.mutate<std::uint8_t>().data());
    } else {
      requantize_runs(sums, multiplier, zero, map, codes.mutate<std::int8_t>().data());
    }
    return codes;
  }
  return quantize(dequantize(sums, multiplier, {}, map), Tensor::scalar(1.0f), zero_point,
                  ScaleMap(sums.shape(), {}, 0, 0), type);
}

Tensor narrow(const Tensor& codes, DType type) {
  if (bits_of(type) != 4) return convert(codes, type);
  Tensor packed(type, codes.shape());
  pack_nibbles(codes.data<std::int32_t>(), reinterpret_cast<std::uint8_t*>(packed.raw_mutate()));
  return packed;
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
