#include "calibration/statistics/extent.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

constexpr std::int32_t magnitude_bits = 0x7fffffff;
constexpr std::int32_t infinite = 0x7f800000;  // as bits, which order magnitudes as numbers do
constexpr std::int32_t least_normal = 0x00800000;

// Two of each: the operations of one wait for each other.
struct Lanes {
  Vector16 min[2], max[2];
  Integers16 small[2] = {};      // minus the count
  Integers16 subnormal[2] = {};  // not 0 where one was met
  Integers16 largest[2] = {};    // bits of the largest magnitude; infinite or more: NaN or infinity
};

INTAGLIO_CLONES
void measure(const float* x, std::size_t n, Lanes& result) {
  Lanes l;
  for (int u = 0; u < 2; ++u) {
    l.min[u] = Vector16{} + std::numeric_limits<float>::infinity();
    l.max[u] = Vector16{} - std::numeric_limits<float>::infinity();
  }
  for (std::size_t i = 0; i < n; i += 2 * vector_width)
#pragma GCC unroll 2
    for (std::size_t u = 0; u < 2; ++u) {
      const float* at = x + i + u * vector_width;
      const Vector16 v = *reinterpret_cast<const Vector16*>(at);
      const Integers16 magnitude = *reinterpret_cast<const Integers16*>(at) & magnitude_bits;
      l.min[u] = v < l.min[u] ? v : l.min[u];  // false for NaN
      l.max[u] = v > l.max[u] ? v : l.max[u];
      const Integers16 small = magnitude < least_normal;
      l.small[u] += small;
      l.subnormal[u] |= small & magnitude;
      l.largest[u] = magnitude > l.largest[u] ? magnitude : l.largest[u];
    }
  result = l;
}

void add_plain(std::span<const float> values, Extent& e) {
  for (const float v : values) {
    e.min = v < e.min ? v : e.min;
    e.max = v > e.max ? v : e.max;
    e.zeros += v == 0;
    e.small += std::abs(v) < FLT_MIN;
    e.odd += !std::isfinite(v);
  }
}

// False when there are values that it takes a closer look to count.
bool add_lanes(const Lanes& l, Extent& e) {
  Extent all;
  for (std::size_t u = 0; u < 2; ++u)
    for (std::size_t i = 0; i < vector_width; ++i) {
      if (l.subnormal[u][i] != 0 || l.largest[u][i] >= infinite) return false;
      all.min = std::min(all.min, l.min[u][i]);
      all.max = std::max(all.max, l.max[u][i]);
      all.small += static_cast<std::uint32_t>(-l.small[u][i]);
    }
  e.min = std::min(e.min, all.min);
  e.max = std::max(e.max, all.max);
  e.small += all.small;
  e.zeros += all.small;
  return true;
}

}  // namespace

Extent extent_of(std::span<const float> values) {
  constexpr std::size_t block = 1 << 14;  // looked at closely as a whole
  Extent e;
  for (std::size_t at = 0; at < values.size(); at += block) {
    const auto part = values.subspan(at, std::min(block, values.size() - at));
    const std::size_t whole = part.size() - part.size() % (2 * vector_width);
    Lanes l;
    measure(part.data(), whole, l);
    if (!add_lanes(l, e)) add_plain(part.first(whole), e);
    add_plain(part.subspan(whole), e);
  }
  return e;
}

}  // namespace intaglio
