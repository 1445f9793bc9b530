// How far one tensor is from another, and what a classifier said.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "lib/tensor/tensor.h"

namespace intaglio {

// All values in row-major order, as floats; shared where they are that already.
Tensor floats(const Tensor& tensor);

// Running sums, in double, over pairs (x, y) of a reference and its approximation. merge() is exact
// up to rounding: merge in a fixed order where results must be reproducible.
//
// Values that are NaN in both, or the same infinity, are left out of the sums. Where only one of
// the two is finite, or they differ otherwise, the signal is lost: all that is finite is noise.
struct Deviation {
  double xx = 0, yy = 0, xy = 0, dd = 0;  // sums of x^2, y^2, x*y, (x-y)^2
  std::uint64_t count = 0;                // pairs in the sums
  std::uint64_t left_out = 0;             // pairs that are NaN, or the same infinity
  std::uint64_t one_sided = 0;            // of count: NaN or infinite in one alone, or differently

  void add(std::span<const float> x, std::span<const float> y);  // of the same length
  void merge(const Deviation& other);

  // 10 log10(sum x^2 / sum (x-y)^2). nullopt when there is no noise (equal) or no signal (x is
  // zero); minus infinity when nothing but the finiteness of values is off.
  std::optional<double> sqnr_db() const;
  // sum xy / sqrt(sum x^2 * sum y^2). nullopt when either is zero.
  std::optional<double> cosine() const;
  bool exact() const { return dd == 0 && one_sided == 0; }
};

// The cosines of samples, one by one: what users of embeddings compare. Samples without one are left
// out. To be added in the order of the samples.
struct SampleCosines {
  double sum = 0, least = 1;
  std::size_t count = 0;

  void add(const Deviation& sample);
  std::optional<double> mean() const;  // nullopt: no sample had one
  std::optional<double> worst() const;
};

// The least and the largest of the finite values.
struct Extrema {
  float lo = std::numeric_limits<float>::infinity(), hi = -std::numeric_limits<float>::infinity();

  void add(std::span<const float> values);
  void merge(const Extrema& other);
};

// 10 log10(peak^2 / mean (x-y)^2), where the peak is the extent of the reference's values: 255 or 1
// for images that use their whole range. nullopt when there is no noise, or no extent.
std::optional<double> psnr_db(const Deviation& deviation, const Extrema& reference);

// The index of the largest score: the first of equals; NaN counts as the lowest. scores must not be
// empty.
std::size_t best_of(std::span<const float> scores);

// The k largest scores, best first; among equals the lower index goes first; NaN counts as the
// lowest.
std::vector<std::size_t> top_k(std::span<const float> scores, std::size_t k);

}  // namespace intaglio
