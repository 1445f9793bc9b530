#include "lib/exec/vector/winograd_tile.h"

#include <algorithm>

#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

constexpr float a = static_cast<float>(winograd_a), b = static_cast<float>(winograd_b);
constexpr float a2 = 0.5f, b2 = 2.0f, a3 = a2 * a, b3 = b2 * b;

// B' d: with M(x) = x (x^2 - a^2) (x^2 - b^2), row p holds the coefficients of M(x) / (x - p), the
// last row those of M(x).
INTAGLIO_INLINE void transform_input(const Vector16 (&d)[6], Vector16 (&t)[6]) {
  const Vector16 near = d[4] - b2 * d[2], near_odd = a * (d[3] - b2 * d[1]);
  const Vector16 far = d[4] - a2 * d[2], far_odd = b * (d[3] - a2 * d[1]);
  t[0] = d[0] - (a2 + b2) * d[2] + d[4];
  t[1] = near + near_odd;
  t[2] = near - near_odd;
  t[3] = far + far_odd;
  t[4] = far - far_odd;
  t[5] = d[1] - (a2 + b2) * d[3] + d[5];
}

// A' m: row i holds the powers i of the points.
INTAGLIO_INLINE void transform_output(const Vector16 (&m)[6], Vector16 (&y)[4]) {
  const Vector16 near = m[1] + m[2], near_odd = m[1] - m[2];
  const Vector16 far = m[3] + m[4], far_odd = m[3] - m[4];
  y[0] = m[0] + near + far;
  y[1] = a * near_odd + b * far_odd;
  y[2] = a2 * near + b2 * far;
  y[3] = a3 * near_odd + b3 * far_odd + m[5];
}

INTAGLIO_INLINE Vector16 load_inside(const WinogradInput& in, std::int64_t i, std::int64_t j) {
  if (i < in.first_row || i >= in.last_row || j < in.first_column || j >= in.last_column)
    return vec::all(0.0f);
  const float* p = in.from + i * in.line + j * in.pixel;
  if (p + vector_width <= in.end) return vec::load(p);
  float rest[vector_width] = {};
  std::copy(p, in.end, rest);
  return vec::load(rest);
}

template <bool edge>
INTAGLIO_INLINE void load_tile(const WinogradInput& in) {
  Vector16 half[6][6];
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    Vector16 d[6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j)
      d[j] = edge ? load_inside(in, i, j) : vec::load(in.from + i * in.line + j * in.pixel);
    transform_input(d, half[i]);
  }
  float* to = in.to;
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j, to += in.step) {
    const Vector16 d[6] = {half[0][j], half[1][j], half[2][j], half[3][j], half[4][j], half[5][j]};
    Vector16 t[6];
    transform_input(d, t);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) vec::store(to + 6 * i * in.step, t[i]);
  }
}

template <bool edge>
INTAGLIO_INLINE void store_tile(const WinogradOutput& out) {
  Vector16 half[6][4];
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) {
    Vector16 m[6];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) m[i] = vec::load(out.from + (6 * i + j) * out.step);
    transform_output(m, half[j]);
  }
  const Vector16 bias = vec::load(out.bias);
  const VectorEnding<64> ended(out.ending);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    if (edge && i >= out.rows) return;
    const Vector16 m[6] = {half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]};
    Vector16 y[4];
    transform_output(m, y);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      if (edge && j >= out.columns) break;
      vec::store(out.to + i * out.line + j * out.pixel, ended(y[j] + bias));
    }
  }
}

}  // namespace

INTAGLIO_CLONES void winograd_load(const WinogradInput& in) {
  const bool whole = in.first_row == 0 && in.first_column == 0 && in.last_row == 6 &&
                     in.last_column == 6 &&
                     in.from + 5 * (in.line + in.pixel) + vector_width <= in.end;
  whole ? load_tile<false>(in) : load_tile<true>(in);
}

INTAGLIO_CLONES void winograd_store(const WinogradOutput& out) {
  out.rows == 4 && out.columns == 4 ? store_tile<false>(out) : store_tile<true>(out);
}

}  // namespace intaglio
