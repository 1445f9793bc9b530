#include "calibration/ranges/methods/divergence_loops.h"

#include <bit>
#include <cmath>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), as a series:
// |s| < 0.1716, so that what follows s^21 / 21 is below the last bit.
[[gnu::always_inline]] inline double logarithm(double x) {
  constexpr double ln2 = 0.693147180559945309417;
  constexpr std::uint64_t sqrt_half = 0x3fe6a09e667f3bcd;
  // As many octaves as lie between x and sqrt(1/2), in the bits of the exponent.
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t octaves = (bits - sqrt_half) >> 52 << 52;
  const double m = std::bit_cast<double>(bits - octaves);
  // The exponent as a double: in the low bits of 2^52 + 2^51, where doubles are integers. An octave
  // below zero wraps around within 12 bits.
  const std::uint64_t shifted = ((octaves >> 52) + 2048) & 4095;
  const double e =
      std::bit_cast<double>(0x4330000000000000 | shifted) - 4503599627370496.0 - 2048.0;
  const double s = (m - 1) / (m + 1), z = s * s;
  double sum = 1.0 / 21;
  sum = sum * z + 1.0 / 19;
  sum = sum * z + 1.0 / 17;
  sum = sum * z + 1.0 / 15;
  sum = sum * z + 1.0 / 13;
  sum = sum * z + 1.0 / 11;
  sum = sum * z + 1.0 / 9;
  sum = sum * z + 1.0 / 7;
  sum = sum * z + 1.0 / 5;
  sum = sum * z + 1.0 / 3;
  return e * ln2 + 2 * (s + s * (z * sum));
}

}  // namespace

INTAGLIO_CLONES
void place_borders(const Borders& b, std::int32_t* bins, std::size_t count) {
  const double lowest = b.lowest, scale = b.scale, inverse = 1 / b.width, first = b.first;
  const double begin = b.begin, end = b.end;
  for (std::size_t k = 0; k < count; ++k) {
    const double border =
        (lowest + static_cast<double>(static_cast<std::int32_t>(k)) - 0.5) * scale;
    double bin = std::ceil(border * inverse - 0.5) - first;
    bin = bin < begin ? begin : bin;
    bin = bin > end ? end : bin;
    bins[k] = static_cast<std::int32_t>(bin);
  }
}

INTAGLIO_CLONES
void logarithms(const double* mass, const double* filled, double* x, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double even = mass[i] > 0 ? mass[i] : 1, bins = mass[i] > 0 ? filled[i] : 1;
    x[i] = logarithm(even / bins);
  }
}

double sum_of_products(const double* x, const double* y, std::size_t count) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (std::size_t l = 0; l < 4; ++l) sums[l] += x[i + l] * y[i + l];
  for (; i < count; ++i) sums[0] += x[i] * y[i];
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

}  // namespace intaglio
