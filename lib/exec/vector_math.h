// Elementary functions on sixteen floats at a time. All are inlined into the function that uses
// them, so that they are compiled for its instruction set. Errors are below 2 units in the last
// place of the true value unless said otherwise; NaN stays NaN.
#pragma once

#include <cstdint>
#include <limits>

#include "lib/base/simd.h"

namespace intaglio::vec {

#define INTAGLIO_INLINE [[gnu::always_inline]] inline

INTAGLIO_INLINE Vector16 all(float x) { return Vector16{} + x; }
INTAGLIO_INLINE Vector16 load(const float* p) { return *reinterpret_cast<const Vector16*>(p); }
INTAGLIO_INLINE void store(float* p, Vector16 x) { *reinterpret_cast<Vector16*>(p) = x; }
INTAGLIO_INLINE Integers16 bits(Vector16 x) { return reinterpret_cast<Integers16&>(x); }
INTAGLIO_INLINE Vector16 from_bits(Integers16 x) { return reinterpret_cast<Vector16&>(x); }

// Sixteen times a number that the compiler does not know: it makes one instruction of a choice
// between x and an unknown bound, but a comparison and a choice where it knows the bound.
INTAGLIO_INLINE Vector16 hidden(float x) {
#if defined(__x86_64__)
  asm("" : "+x"(x));
#endif
  return all(x);
}
INTAGLIO_INLINE Vector16 at_least(Vector16 x, float bound) {
  const Vector16 lo = hidden(bound);
  return x < lo ? lo : x;
}
INTAGLIO_INLINE Vector16 at_most(Vector16 x, float bound) {
  const Vector16 hi = hidden(bound);
  return x > hi ? hi : x;
}
INTAGLIO_INLINE Vector16 absolute(Vector16 x) { return from_bits(bits(x) & 0x7fffffff); }

// a * b + c, rounded once, whatever the instruction set.
INTAGLIO_INLINE Vector16 fma(Vector16 a, Vector16 b, Vector16 c) {
  Vector16 result;
  for (int i = 0; i < vector_width; ++i) result[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return result;
}

// e^x = 2^n * e^r with |r| <= ln(2) / 2 and a polynomial of degree 6 for e^r. Results below the
// smallest normal number are 0, results above the largest are infinite.
INTAGLIO_INLINE Vector16 exp(Vector16 x) {
  constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const Vector16 bounded = at_most(at_least(x, -87.3f), 88.37f);
  const Vector16 shifted = bounded * 1.44269504088896341f + to_integer;
  const Vector16 n = shifted - to_integer;
  const Vector16 r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  Vector16 p = r * (1.0f / 720) + (1.0f / 120);
  p = p * r + (1.0f / 24);
  p = p * r + (1.0f / 6);
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const Vector16 result = from_bits(bits(p) + (bits(shifted) << 23));
  const Vector16 floored = x < -87.3f ? all(0.0f) : result;
  const Vector16 capped = x > 88.37f ? all(std::numeric_limits<float>::infinity()) : floored;
  return x == x ? capped : x;
}

// e^-x for x from -87 on, at least e^-87; anything for NaN. The polynomial is the closest one to
// 2^r of its degree: within 9.2e-8 of it.
INTAGLIO_INLINE Vector16 exp_minus(Vector16 x) {
  constexpr float to_integer = 12582912.0f;
  const Vector16 bounded = at_most(x, 87.0f);
  const Vector16 shifted = bounded * -1.44269504088896341f + to_integer;
  const Vector16 n = shifted - to_integer;
  const Vector16 r =
      (bounded * -1.44269502162933349609375f - n) - bounded * 1.925963033500011079e-8f;
  Vector16 p = r * 1.326472731307149e-3f + 9.671512991189957e-3f;
  p = p * r + 5.550733581185341e-2f;
  p = p * r + 2.402224242687225e-1f;
  p = p * r + 6.931470036506653e-1f;
  p = p * r + 1.0f;
  return from_bits(bits(p) + (bits(shifted) << 23));
}

// 0 where the true value is below the smallest normal number.
INTAGLIO_INLINE Vector16 sigmoid(Vector16 x) {
  const Vector16 y = 1.0f / (1.0f + exp_minus(at_least(x, -87.0f)));
  const Vector16 known = x == x ? y : x;
  return x < -87.0f ? all(0.0f) : known;
}

// x * sigmoid(x); of the order of 1e-36 below -87.
INTAGLIO_INLINE Vector16 swish(Vector16 x) {
  const Vector16 bounded = at_least(x, -87.0f);
  return bounded / (1.0f + exp_minus(bounded));
}

// Below 0.625 the odd polynomial of Cephes, where the quotient would cancel.
INTAGLIO_INLINE Vector16 tanh(Vector16 x) {
  const Vector16 s = x * x;
  Vector16 p = s * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const Vector16 small = p * s * x + x;
  const Vector16 large = 1.0f - 2.0f / (exp(2.0f * absolute(x)) + 1.0f);
  const Vector16 signed_large =
      from_bits(bits(large) | (bits(x) & static_cast<std::int32_t>(0x80000000)));
  const Vector16 result = absolute(x) < 0.625f ? small : signed_large;
  return x == x ? result : x;
}

// 1 - erf(x) for x >= 0 after Abramowitz and Stegun, 7.1.26: within 2e-7 of the true value.
INTAGLIO_INLINE Vector16 erf_complement(Vector16 x) {
  const Vector16 t = 1.0f / (1.0f + x * 0.3275911f);
  Vector16 p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  return p * t * exp(-x * x);
}

// Up to 1 the odd polynomial that is closest to erf relative to it: within 2e-7 of that everywhere.
INTAGLIO_INLINE Vector16 erf(Vector16 x) {
  const Vector16 s = x * x, size = absolute(x);
  Vector16 p = s * -5.63141599e-4f + 4.91754990e-3f;
  p = p * s - 2.67113093e-2f;
  p = p * s + 1.12801798e-1f;
  p = p * s - 3.76123250e-1f;
  p = p * s + 1.12837911f;
  const Vector16 large = 1.0f - erf_complement(size);
  const Vector16 signed_large =
      from_bits(bits(large) | (bits(x) & static_cast<std::int32_t>(0x80000000)));
  const Vector16 result = size < 1.0f ? p * x : signed_large;
  return x == x ? result : x;
}

// x / 2 * (1 + erf(x / sqrt(2))): within 2e-7 of the true value for |x| up to 1, relative to |x|
// beyond.
INTAGLIO_INLINE Vector16 gelu(Vector16 x) {
  const Vector16 tail = erf_complement(absolute(x) * 0.70710678118654752f) * 0.5f;
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

// Calls f(Vector16) for every sixteen of `count` values of x and stores what it returns in y; the
// rest goes through a buffer.
template <typename F>
INTAGLIO_INLINE void map(const float* x, float* y, std::int64_t count, F f) {
  std::int64_t i = 0;
  for (; i + vector_width <= count; i += vector_width) store(y + i, f(load(x + i)));
  if (i == count) return;
  float rest[vector_width] = {};
  for (std::int64_t j = i; j < count; ++j) rest[j - i] = x[j];
  store(rest, f(load(rest)));
  for (std::int64_t j = i; j < count; ++j) y[j] = rest[j - i];
}

}  // namespace intaglio::vec
