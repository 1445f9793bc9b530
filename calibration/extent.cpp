#include "calibration/extent.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

typedef std::int32_t Integers16 __attribute__((vector_size(64)));

struct Lanes {
  Vector16 min = Vector16{} + std::numeric_limits<float>::infinity();
  Vector16 max = Vector16{} - std::numeric_limits<float>::infinity();
  Integers16 zeros{}, small{}, odd{};  // minus the count
};

INTAGLIO_CLONES
void measure(const float* x, std::size_t n, Lanes& result) {
  Lanes l;
  for (std::size_t i = 0; i < n; i += vector_width) {
    const Vector16 v = *reinterpret_cast<const Vector16*>(x + i);
    const Vector16 magnitude = v < Vector16{} ? -v : v;
    l.min = v < l.min ? v : l.min;  // false for NaN
    l.max = v > l.max ? v : l.max;
    l.zeros += v == Vector16{} ? Integers16{} - 1 : Integers16{};
    l.small += magnitude < Vector16{} + FLT_MIN ? Integers16{} - 1 : Integers16{};
    l.odd += magnitude <= Vector16{} + FLT_MAX ? Integers16{} : Integers16{} - 1;
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

}  // namespace

Extent extent_of(std::span<const float> values) {
  const std::size_t whole = values.size() - values.size() % vector_width;
  Extent e;
  if (whole > 0) {
    Lanes l;
    measure(values.data(), whole, l);
    for (std::size_t i = 0; i < vector_width; ++i) {
      e.min = std::min(e.min, l.min[i]);
      e.max = std::max(e.max, l.max[i]);
      e.zeros += static_cast<std::uint32_t>(-l.zeros[i]);
      e.small += static_cast<std::uint32_t>(-l.small[i]);
      e.odd += static_cast<std::uint32_t>(-l.odd[i]);
    }
  }
  add_plain(values.subspan(whole), e);
  return e;
}

}  // namespace intaglio
