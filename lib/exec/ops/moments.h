// Mean and variance, in double and in two passes: what the normalizing operators share.
#pragma once

#include <span>

namespace intaglio {

struct Moments {
  double mean = 0, variance = 0;  // the variance of the population: divided by the count
};

inline Moments moments_of(std::span<const float> values) {
  Moments m;
  if (values.empty()) return m;
  const auto count = static_cast<double>(values.size());
  for (const float v : values) m.mean += static_cast<double>(v);
  m.mean /= count;
  for (const float v : values)
    m.variance += (static_cast<double>(v) - m.mean) * (static_cast<double>(v) - m.mean);
  m.variance /= count;
  return m;
}

}  // namespace intaglio
