#include "calibration/grid.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace intaglio {

void DistinctValues::add(std::span<const float> values) {
  if (too_many_) return;
  std::unordered_map<float, std::uint64_t> seen;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    ++seen[v];
    if (seen.size() > limit) break;  // check() sees it, too
  }
  for (const auto& [value, count] : seen) counts_[value] += count;
  check();
}

void DistinctValues::merge(const DistinctValues& other) {
  too_many_ |= other.too_many_;
  for (const auto& [value, count] : other.counts_) counts_[value] += count;
  check();
}

void DistinctValues::check() {
  too_many_ |= counts_.size() > limit;
  if (too_many_) counts_.clear();
}

namespace {

double squared_error(const DistinctValues& values, const QParams& params, const Levels& levels) {
  const float scale = params.scale.front();
  const auto zero = static_cast<float>(params.zero_point.front());
  double error = 0;
  for (const auto& [x, count] : values.counts()) {
    const float code = std::clamp(std::nearbyint(x / scale) + zero, static_cast<float>(levels.lo),
                                  static_cast<float>(levels.hi));
    const double d = static_cast<double>(x) - static_cast<double>((code - zero) * scale);
    error += static_cast<double>(count) * d * d;
  }
  return error;
}

}  // namespace

Range without_ties(const Range& range, const DistinctValues& values, const Scheme& scheme) {
  if (values.counts().empty()) return range;
  const Levels levels = levels_of(scheme);
  Range best = range;
  double least = -1;
  for (int i = 0; i <= 15; ++i) {
    for (int j = 0; j <= 15; ++j) {
      const Range candidate{range.lo * (1 + static_cast<float>(i) / 500), range.hi * (1 + static_cast<float>(j) / 500)};
      const double error = squared_error(values, choose_qparams(std::span(&candidate, 1), scheme), levels);
      if (least >= 0 && error >= least) continue;
      least = error;
      best = candidate;
    }
  }
  return best;
}

}  // namespace intaglio
