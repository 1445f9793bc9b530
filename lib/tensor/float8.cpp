#include "lib/tensor/float8.h"

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
  int nan;  // the code that is written; e5m2 has several
};

const Format& format_of(DType type) {
  static constexpr Format e4m3fn{3, 7, 448, false, 0x7f}, e5m2{2, 15, 57344, true, 0x7e};
  assert(is_float8(type));
  return type == DType::f8e4m3fn ? e4m3fn : e5m2;
}

}  // namespace

float float8_value(DType type, std::uint8_t code) {
  const Format& f = format_of(type);
  const float sign = (code & 0x80) != 0 ? -1.0f : 1.0f;
  const int magnitude = code & 0x7f, exponent = magnitude >> f.mantissa;
  const int fraction = magnitude & ((1 << f.mantissa) - 1);
  if (f.infinities && exponent == 31)
    return sign * (fraction == 0 ? std::numeric_limits<float>::infinity()
                                 : std::numeric_limits<float>::quiet_NaN());
  if (!f.infinities && magnitude == 0x7f) return std::numeric_limits<float>::quiet_NaN();
  const int implicit = exponent == 0 ? 0 : 1 << f.mantissa;  // subnormals have none
  return sign * std::ldexp(static_cast<float>(implicit + fraction),
                           std::max(exponent, 1) - f.bias - f.mantissa);
}

std::uint8_t float8_code(DType type, float value) {
  const Format& f = format_of(type);
  const int sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return static_cast<std::uint8_t>(sign | f.nan);
  const float magnitude = std::min(std::abs(value), f.largest);
  const int least = 1 - f.bias;  // exponent of the smallest normal value
  const int exponent = magnitude == 0 ? least : std::max(std::ilogb(magnitude), least);
  // 2^mantissa steps to the next power of two; one too many carries into the exponent.
  const int steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.mantissa - exponent)));
  return static_cast<std::uint8_t>(sign | (((exponent - least) << f.mantissa) + steps));
}

}  // namespace intaglio
