// What loops over lines of sixteen floats at a time have in common.
#pragma once

#include "lib/exec/vector_math.h"

namespace intaglio::vec {

// Lanes are joined in a fixed order, half with half, so that a result depends on its line alone.
template <typename F>
INTAGLIO_INLINE float across(Vector16 v, F join) {
  v = join(
      v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
  v = join(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
  v = join(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3));
  v = join(v, __builtin_shufflevector(v, v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
  return v[0];
}
INTAGLIO_INLINE float sum_across(Vector16 lanes) {
  return across(lanes, [](Vector16 a, Vector16 b) { return a + b; });
}
INTAGLIO_INLINE float most_across(Vector16 lanes) {
  return across(lanes, [](Vector16 a, Vector16 b) { return a > b ? a : b; });
}

// The last vector of a line, with `fill` behind its end.
INTAGLIO_INLINE Vector16 load_rest(const float* x, std::int64_t count, float fill) {
  float rest[vector_width];
  for (std::int64_t i = 0; i < vector_width; ++i) rest[i] = i < count ? x[i] : fill;
  return load(rest);
}

}  // namespace intaglio::vec
