// Statistics of values: what calibration measures.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "calibration/statistics/distinct_values.h"
#include "calibration/statistics/histogram.h"
#include "lib/base/exact_sum.h"

namespace intaglio {

// Statistics of a multiset of floats. The result of any sequence of add() and merge() depends on
// the multiset alone (and add_sample() on the multiset of samples): not on order, grouping or
// threads.
struct Statistics {
  // Of the finite values; inf and -inf as long as there are none.
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t count = 0;  // all values, NaN and infinities included
  std::uint64_t zeros = 0, subnormals = 0, nans = 0, infs = 0;

  // Of samples that have a finite value: how many, and the sums of their smallest and largest ones.
  std::uint64_t samples = 0;
  ExactSum sample_minima, sample_maxima;

  // Of the finite values other than zero; absent when nobody asked for it.
  std::optional<Histogram> histogram;

  void add(std::span<const float> values);
  void add_sample(std::span<const float> values);  // add(), and one sample
  void merge(const Statistics& other);
  std::uint64_t finite() const { return count - nans - infs; }
  bool operator==(const Statistics&) const = default;

 private:
  void add_block(std::span<const float> values);
  void add_odd_block(std::span<const float> values);
};

// By value name.
struct Observations {
  std::map<std::string, Statistics> values;
  std::map<std::string, DistinctValues> inputs;  // of graph inputs
  std::uint64_t samples = 0;

  void merge(const Observations& other);
};

}  // namespace intaglio
