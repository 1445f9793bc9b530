#include "lib/eval/share.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace intaglio {
namespace {

constexpr double z = 1.959963984540054;  // of the normal distribution: 2.5 % lie above

}  // namespace

double Share::percent() const {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

ConfidenceInterval Share::interval() const {
  const auto n = static_cast<double>(whole);
  const double p = static_cast<double>(part) / n;
  const double middle = p + z * z / (2 * n);
  const double reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = 100 / (1 + z * z / n);
  return {part == 0 ? 0 : std::max(0.0, (middle - reach) * scale),
          part == whole ? 100 : std::min(100.0, (middle + reach) * scale)};
}

std::string text(const ConfidenceInterval& interval) {
  return fmt::format("{:.2f}..{:.2f}", interval.lo, interval.hi);
}

std::string text(const Share& share) {
  const std::string value = fmt::format("{:.2f}", share.percent());
  return share.whole < few_counts ? fmt::format("{} ({})", value, text(share.interval())) : value;
}

}  // namespace intaglio
