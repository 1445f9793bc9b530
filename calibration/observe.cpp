#include "calibration/observe.h"

#include <algorithm>
#include <cmath>

namespace intaglio {

void Statistics::add(std::span<const float> values) {
  // Two loops: the first is branch-free and vectorises; the second runs only when something is not
  // finite.
  float lo = min, hi = max;
  std::uint64_t zero = 0, odd = 0;
  for (const float v : values) {
    lo = v < lo ? v : lo;  // false for NaN
    hi = v > hi ? v : hi;
    zero += v == 0;
    odd += !(std::abs(v) <= std::numeric_limits<float>::max());
  }
  count += values.size();
  zeros += zero;
  if (odd == 0) {
    min = lo, max = hi;
    return;
  }
  for (const float v : values) {
    nans += std::isnan(v);
    infs += std::isinf(v);
    if (!std::isfinite(v)) continue;
    min = std::min(min, v);
    max = std::max(max, v);
  }
}

void Statistics::merge(const Statistics& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
  zeros += other.zeros;
  nans += other.nans;
  infs += other.infs;
}

void Observations::merge(const Observations& other) {
  for (const auto& [name, statistics] : other.values) values[name].merge(statistics);
  for (const auto& [name, distinct] : other.inputs) inputs[name].merge(distinct);
  samples += other.samples;
}

}  // namespace intaglio
