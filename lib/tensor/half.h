// IEEE binary16 and bfloat16 as storage types: they convert to and from float and compute in float.
#pragma once

#include <bit>
#include <cstdint>

namespace intaglio {

namespace half_detail {

inline float from_binary16(std::uint16_t h) {
  const std::uint32_t sign = std::uint32_t{h & 0x8000u} << 16;
  const std::uint32_t exponent = h >> 10 & 0x1f, mantissa = h & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24 is exact in float
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

// Rounds half to even; overflow gives infinity; NaN stays NaN.
inline std::uint16_t to_binary16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and above round to infinity
  if (magnitude < 0x38800000) {                       // below 2^-14: a multiple of 2^-24
    // The ulp of 0.5 is 2^-24: the sum is rounded there.
    const float scaled = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(scaled) - 0x3f000000);
  }
  const std::uint32_t odd = magnitude >> 13 & 1;
  return sign | static_cast<std::uint16_t>((magnitude + 0xfff + odd - (112u << 23)) >> 13);
}

}  // namespace half_detail

struct Half {
  std::uint16_t bits = 0;
  Half() = default;
  Half(float value) : bits(half_detail::to_binary16(value)) {}  // NOLINT: a number, converts freely
  operator float() const { return half_detail::from_binary16(bits); }  // NOLINT
};

struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  BFloat16(float value) {  // NOLINT
    const auto b = std::bit_cast<std::uint32_t>(value);
    bits = (b & 0x7fffffff) > 0x7f800000
               ? static_cast<std::uint16_t>(b >> 16 | 0x40)
               : static_cast<std::uint16_t>((b + 0x7fff + (b >> 16 & 1)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }  // NOLINT
};

}  // namespace intaglio
