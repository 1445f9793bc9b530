#include "lib/tensor/small_float.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace intaglio {
namespace {

struct Format {
  int mantissa, bias;  // bits, and what is added to exponents
  float largest;
  bool infinities;
  int nan;   // the code that is written: e5m2 has several, e2m1 none
  int sign;  // its bit
};

const Format& format_of(DType type) {
  static constexpr Format e4m3fn{3, 7, 448, false, 0x7f, 0x80},
      e5m2{2, 15, 57344, true, 0x7e, 0x80}, e2m1{1, 1, 6, false, 8, 8};
  assert(is_small_float(type));
  return type == DType::f4e2m1 ? e2m1 : type == DType::f8e4m3fn ? e4m3fn : e5m2;
}

}  // namespace

float small_float_value(DType type, std::uint8_t code) {
  const Format& f = format_of(type);
  const float sign = (code & f.sign) != 0 ? -1.0f : 1.0f;
  const int magnitude = code & (f.sign - 1), exponent = magnitude >> f.mantissa;
  const int fraction = magnitude & ((1 << f.mantissa) - 1);
  if (f.infinities && exponent == 31)
    return sign * (fraction == 0 ? std::numeric_limits<float>::infinity()
                                 : std::numeric_limits<float>::quiet_NaN());
  if (!f.infinities && magnitude == f.nan) return std::numeric_limits<float>::quiet_NaN();
  const int implicit = exponent == 0 ? 0 : 1 << f.mantissa;  // subnormals have none
  return sign * std::ldexp(static_cast<float>(implicit + fraction),
                           std::max(exponent, 1) - f.bias - f.mantissa);
}

std::uint8_t small_float_code(DType type, float value) {
  const Format& f = format_of(type);
  const int sign = std::signbit(value) ? f.sign : 0;
  if (std::isnan(value)) return static_cast<std::uint8_t>(sign | f.nan);
  const float magnitude = std::min(std::abs(value), f.largest);
  const int least = 1 - f.bias;  // exponent of the smallest normal value
  const int exponent = magnitude == 0 ? least : std::max(std::ilogb(magnitude), least);
  // 2^mantissa steps to the next power of two; one too many carries into the exponent.
  const int steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.mantissa - exponent)));
  return static_cast<std::uint8_t>(sign | (((exponent - least) << f.mantissa) + steps));
}

}  // namespace intaglio
