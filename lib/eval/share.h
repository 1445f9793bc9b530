// A share of something that was counted, and how far a count of this size can be trusted.
#pragma once

#include <cstddef>
#include <string>

namespace intaglio {

struct ConfidenceInterval {
  double lo = 0, hi = 0;
  bool holds(double v) const { return lo <= v && v <= hi; }
};

struct Share {
  std::size_t part = 0, whole = 0;  // part <= whole, whole > 0

  double percent() const;  // 0..100
  // In percent: the shares that samples like these come from, with 95 % confidence. Wilson's score
  // interval (Wilson 1927, Journal of the American Statistical Association 22): unlike the normal
  // one it stays inside 0..100 and is right for shares near 100 %.
  ConfidenceInterval interval() const;
  Share rest() const { return {whole - part, whole}; }
};

// Counts below this are few: a share of them is shown with its interval.
inline constexpr std::size_t few_counts = 1000;

std::string text(const ConfidenceInterval& interval);  // "71.67..98.89"
std::string text(const Share& share);                  // "93.75", of few "93.75 (71.67..98.89)"

}  // namespace intaglio
