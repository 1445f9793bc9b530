// Second moments of what products read: X'X over all samples, for the methods that weigh errors.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "lib/base/progress.h"
#include "lib/exec/executor.h"
#include "lib/exec/samples.h"

namespace intaglio {

// A symmetric matrix of sums in fixed point, so that samples may come in any order and from any
// number of threads or machines: X'X of each sample is computed in float, then rounded to multiples
// of the unit.
class InputMoments {
 public:
  InputMoments() = default;
  // unit: a power of two.
  InputMoments(std::size_t width, double unit);

  std::size_t width() const { return width_; }
  double unit() const { return unit_; }
  double at(std::size_t i, std::size_t j) const {
    return static_cast<double>(sums_[index(i, j)]) * unit_;
  }
  std::vector<double> diagonal() const;
  // Adds X'X, X a row-major matrix of so many rows; only its upper triangle is computed.
  void add(const float* x, std::size_t rows);
  void merge(const InputMoments& other);  // of the same width and unit
  static std::size_t bytes_for(std::size_t width) { return width * (width + 1) / 2 * 8; }

 private:
  std::size_t index(std::size_t i, std::size_t j) const {
    const std::size_t a = i < j ? i : j, b = i < j ? j : i;
    return a * width_ - a * (a + 1) / 2 + b;
  }

  std::size_t width_ = 0;
  double unit_ = 1;
  std::vector<std::int64_t> sums_;  // upper triangle, row by row
};

// The same unit for all shards of a run: from X'X of one sample that all of them look at. A
// millionth of the mean of its diagonal, so that 2^40 such samples fit.
double unit_for(const float* x, std::size_t rows, std::size_t width);

struct MomentOptions {
  std::size_t threads = 1;
  Progress progress = {};
};

// Runs the samples and sums the moments of values whose last axis is the width, by name. The first
// sample that loads gives the units.
std::map<std::string, InputMoments> collect_moments(const Graph& graph,
                                                    const std::set<std::string>& values,
                                                    const Samples& samples,
                                                    const MomentOptions& options);

}  // namespace intaglio
