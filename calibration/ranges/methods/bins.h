// A histogram as methods look at it.
#pragma once

#include <cstdint>
#include <vector>

#include "calibration/statistics/statistics.h"

namespace intaglio {

// The values other than zero, evenly spread inside each bin: bin i covers
// [(first + i) * width, (first + i + 1) * width). Masses are counts; the first and the last bin are
// not empty unless all are.
struct Bins {
  double width = 1;
  std::int64_t first = 0;
  std::vector<double> mass;

  double left(std::size_t i) const {
    return (static_cast<double>(first) + static_cast<double>(i)) * width;
  }
  double total() const;
};
Bins bins_of(const Statistics& statistics);  // which must have a histogram

}  // namespace intaglio
