// What loops over lines of sixteen floats at a time have in common.
#pragma once

#include "lib/exec/vector_math.h"

namespace intaglio::vec {

// Lanes are joined in a fixed order, so that a result depends on its line alone.
template <typename F>
INTAGLIO_INLINE float across(Vector16 lanes, F join) {
  float all[vector_width];
  store(all, lanes);
  for (std::int64_t width = vector_width / 2; width > 0; width /= 2)
    for (std::int64_t i = 0; i < width; ++i) all[i] = join(all[i], all[i + width]);
  return all[0];
}
INTAGLIO_INLINE float sum_across(Vector16 lanes) {
  return across(lanes, [](float a, float b) { return a + b; });
}
INTAGLIO_INLINE float most_across(Vector16 lanes) {
  return across(lanes, [](float a, float b) { return a > b ? a : b; });
}

// The last vector of a line, with `fill` behind its end.
INTAGLIO_INLINE Vector16 load_rest(const float* x, std::int64_t count, float fill) {
  float rest[vector_width];
  for (std::int64_t i = 0; i < vector_width; ++i) rest[i] = i < count ? x[i] : fill;
  return load(rest);
}

}  // namespace intaglio::vec
