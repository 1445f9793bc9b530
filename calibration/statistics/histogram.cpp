#include "calibration/statistics/histogram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace intaglio {
namespace {

constexpr int least_exponent = -126;             // its inverse is a normal float
constexpr double most_bins_from_zero = 1 << 24;  // bin numbers are exact in float

std::int64_t bin_of(float x, int exponent) {
  return static_cast<std::int64_t>(std::floor(std::ldexp(static_cast<double>(x), -exponent)));
}

int exponent_for(float lo, float hi, int at_least) {
  const double far = std::max(std::abs(static_cast<double>(lo)), std::abs(static_cast<double>(hi)));
  int e = at_least;
  while (std::ldexp(far, -e) >= most_bins_from_zero ||
         bin_of(hi, e) - bin_of(lo, e) >= Histogram::capacity)
    ++e;
  return e;
}

}  // namespace

double Histogram::width() const { return std::ldexp(1.0, exponent_); }
std::int64_t Histogram::first() const { return bin_of(lo_, exponent_); }
std::int64_t Histogram::last() const { return bin_of(hi_, exponent_); }

void Histogram::cover(float lo, float hi) {
  if (counts_.empty()) {
    counts_.assign(capacity, 0);
    lo_ = lo, hi_ = hi;
    exponent_ = exponent_for(lo, hi, least_exponent);
    return;
  }
  const std::int64_t old_first = first(), old_last = last();
  lo_ = std::min(lo, lo_), hi_ = std::max(hi, hi_);
  const int exponent = exponent_for(lo_, hi_, exponent_);
  if (exponent == exponent_) return;
  std::vector<std::uint64_t> joined(capacity, 0);
  const int shift = exponent - exponent_;
  for (std::int64_t k = old_first; k <= old_last; ++k)
    joined[slot(shift > 62 ? (k < 0 ? -1 : 0) : k >> shift)] += counts_[slot(k)];
  counts_ = std::move(joined);
  exponent_ = exponent;
}

void Histogram::add(std::span<const float> values) {
  assert(!counts_.empty());
  count_bins(values, std::ldexp(1.0f, -exponent_), counts_.data());
}

void Histogram::merge(const Histogram& other) {
  if (other.empty()) return;
  if (empty()) return void(*this = other);
  cover(other.lo_, other.hi_);
  const int shift = exponent_ - other.exponent_;
  for (std::int64_t k = other.first(); k <= other.last(); ++k)
    counts_[slot(shift > 62 ? (k < 0 ? -1 : 0) : k >> shift)] += other.count(k);
}

Histogram Histogram::restored(float lo, float hi, std::span<const std::uint64_t> counts) {
  Histogram h;
  h.cover(lo, hi);
  const std::int64_t first = h.first();
  for (std::size_t i = 0; i < counts.size(); ++i)
    h.counts_[slot(first + static_cast<std::int64_t>(i))] = counts[i];
  return h;
}

}  // namespace intaglio
