// The cheap half of a statistic: one vectorised pass.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace intaglio {

// Of the values that are not NaN, infinities included.
struct Extent {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t zeros = 0;
  std::uint64_t small = 0;  // smaller in magnitude than the least normal number, zeros included
  std::uint64_t odd = 0;    // NaN and infinities
};

Extent extent_of(std::span<const float> values);  // of less than 2^31 values

}  // namespace intaglio
