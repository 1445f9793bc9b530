#include "lib/tensor/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace intaglio {
namespace {

// The value by the definition of the format (IEEE 754, 3.4), in arithmetic instead of bits.
double value_of_binary16(unsigned bits) {
  const double sign = bits >> 15 != 0 ? -1 : 1;
  const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * INFINITY;
  return sign *
         (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

// Rounds to the nearest number with `digits` bits of mantissa and exponents from `lowest` on, ties
// to even.
double rounded(float value, int digits, int lowest, double largest) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), lowest);
  const double unit = std::ldexp(1.0, exponent - digits);
  const double result = std::nearbyint(static_cast<double>(value) / unit) * unit;
  return std::abs(result) > largest ? std::copysign(INFINITY, value) : result;
}

Half half_of_bits(unsigned bits) {
  Half h;
  h.bits = static_cast<std::uint16_t>(bits);
  return h;
}

TEST(Half, EveryValueReadsAsDefinedAndComesBack) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = half_of_bits(bits);
    const double expected = value_of_binary16(bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(Half(value)))) << bits;
      continue;
    }
    ASSERT_EQ(value, expected) << bits;
    ASSERT_EQ(std::signbit(value), bits >> 15 != 0) << bits;
    ASSERT_EQ(Half(value).bits, bits);
  }
}

// Halfway between any two neighbours, and one float next to it on either side.
TEST(Half, HalfwayCasesGoToEven) {
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const double next = bits == 0x7bff ? 65536.0 : value_of_binary16(bits + 1);
    const auto middle = static_cast<float>((value_of_binary16(bits) + next) / 2);
    ASSERT_EQ(Half(middle).bits, bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(Half(std::nextafter(middle, 0.0f)).bits, bits) << bits;
    ASSERT_EQ(Half(std::nextafter(middle, 1e9f)).bits, bits + 1) << bits;
    ASSERT_EQ(Half(-middle).bits, Half(middle).bits | 0x8000) << bits;
  }
}

TEST(Half, RandomFloatsRoundToTheNearest) {
  std::mt19937 engine(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(engine()));
    const float half = Half(value), brain = BFloat16(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(half) && std::isnan(brain));
      continue;
    }
    ASSERT_EQ(half, rounded(value, 10, -14, 65504)) << value;
    ASSERT_EQ(brain, rounded(value, 7, -126, 0x1.fep127)) << value;
  }
}

TEST(BFloat16, EveryValueComesBack) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    BFloat16 b;
    b.bits = static_cast<std::uint16_t>(bits);
    const float value = b;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(static_cast<float>(BFloat16(value))));
    } else {
      ASSERT_EQ(BFloat16(value).bits, bits);
    }
  }
}

}  // namespace
}  // namespace intaglio
