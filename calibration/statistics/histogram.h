// Histograms that merge exactly.
//
// A bin holds the values in [k * w, (k + 1) * w) for a whole number k: bins are anchored at 0, and
// their width w = 2^exponent is a power of two. When a value lies too far out, the width doubles
// and neighbours are joined, which is exact. So the bins depend on the multiset of values alone,
// not on their order, their grouping, threads or batches; merge() is exact, associative and
// commutative.
//
// The exponent is the least e for which
//   floor(hi / 2^e) - floor(lo / 2^e) < capacity  and  |lo|, |hi| < 2^24 * 2^e,  -126 <= e <= 117,
// where lo and hi are the smallest and the largest value. Hence a histogram has between
// capacity / 2 and capacity live bins unless all its values lie close together or next to zero.
//
// Why 4096 bins: at 8 bits a step of the widest range spans 8 to 16 of them, and one of a range
// that clips all but a tenth still more than one; 32 KB a value stay in the cache of a core.
//
// Zeros are not counted in bins: they are the most frequent value behind Relu and exact in every
// quantizer.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace intaglio {

class Histogram {
 public:
  static constexpr int capacity = 4096;

  // Makes room for values in [lo, hi], both finite. Widens the bins if need be.
  void cover(float lo, float hi);

  // Counts values; all must be finite and inside what cover() was told.
  void add(std::span<const float> values);

  void merge(const Histogram& other);

  // From saved parts: the inverse of the accessors below. counts.size() <= capacity.
  static Histogram restored(float lo, float hi, std::span<const std::uint64_t> counts);

  bool empty() const { return counts_.empty(); }
  float lo() const { return lo_; }
  float hi() const { return hi_; }
  int exponent() const { return exponent_; }
  double width() const;
  std::int64_t first() const;  // k of the bin of lo()
  std::int64_t last() const;   // k of the bin of hi()
  std::uint64_t count(std::int64_t k) const { return counts_[slot(k)]; }

  bool operator==(const Histogram&) const = default;

 private:
  static std::size_t slot(std::int64_t k) {
    return static_cast<std::uint64_t>(k) % static_cast<std::uint64_t>(capacity);
  }

  float lo_ = 0, hi_ = 0;  // the hull that was covered
  int exponent_ = 0;
  std::vector<std::uint64_t> counts_;  // bin k at k modulo capacity; empty until cover()
};

// Twins: add `values` to tables of Histogram::capacity counts, bin floor(x * inverse_width) modulo
// capacity, zeros left out. The plain loop is the reference; the other one uses vectors and several
// tables, and AVX-512 where the CPU has it, unless told otherwise.
void count_bins_plain(std::span<const float> values, float inverse_width, std::uint64_t* counts);
void count_bins(std::span<const float> values, float inverse_width, std::uint64_t* counts,
                bool avx512 = true);

}  // namespace intaglio
