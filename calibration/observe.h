// Statistics of values: what calibration measures.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>

#include "calibration/grid.h"

namespace intaglio {

// Exact statistics of a multiset of floats. The result of any sequence of add() and merge() depends
// on the multiset alone: not on order, grouping or threads.
struct Statistics {
  // Of the finite values; inf and -inf as long as there are none.
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t count = 0;  // all values, NaN and infinities included
  std::uint64_t zeros = 0, nans = 0, infs = 0;

  void add(std::span<const float> values);
  void merge(const Statistics& other);
  std::uint64_t finite() const { return count - nans - infs; }
  bool operator==(const Statistics&) const = default;
};

// By value name.
struct Observations {
  std::map<std::string, Statistics> values;
  std::map<std::string, DistinctValues> inputs;  // of graph inputs
  std::uint64_t samples = 0;

  void merge(const Observations& other);
};

}  // namespace intaglio
