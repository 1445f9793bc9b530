// Model inputs that take few distinct values: decoded images have 256 levels per channel.
//
// Their levels and the codes of a quantizer are two grids of nearly the same pitch, and where the
// second one falls on the half steps of the first, every value is rounded by half a step: pixels
// mapped by x / 127.5 - 1 and the range [-1, 1] do exactly that, and lose 5 dB against a range a
// little wider.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "lib/quant/qparams.h"

namespace intaglio {

// Exact counts of distinct finite values, as long as there are at most `limit` of them. Depends on
// the multiset of values alone, like Statistics.
class DistinctValues {
 public:
  static constexpr std::size_t limit = 1024;

  void add(std::span<const float> values);
  void merge(const DistinctValues& other);

  // Empty when there were too many (or none at all).
  const std::map<float, std::uint64_t>& counts() const { return counts_; }
  bool too_many() const { return too_many_; }

  static DistinctValues restored(std::map<float, std::uint64_t> counts, bool too_many);

 private:
  void check();

  std::map<float, std::uint64_t> counts_;
  bool too_many_ = false;
};

// The range [lo * (1 + i/500), hi * (1 + j/500)], 0 <= i, j <= 15, under which quantizing the
// values has the least squared error; the narrowest among equals. It is never narrower than
// `range`: nothing gets clipped.
Range without_ties(const Range& range, const DistinctValues& values, const Scheme& scheme);

}  // namespace intaglio
