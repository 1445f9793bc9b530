#include "calibration/grid.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace intaglio {

namespace {

// Counts by bit pattern, open addressing; a quarter full at most.
class CountTable {
 public:
  static constexpr std::size_t capacity = 4 * DistinctValues::limit;

  // False when there are too many distinct values.
  bool add(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    std::size_t at = bits * 2654435769u >> 20;  // Knuth's multiplicative hash, 12 bits
    while (counts_[at] != 0 && keys_[at] != bits) at = (at + 1) % capacity;
    if (counts_[at]++ > 0) return true;
    keys_[at] = bits;
    return ++size_ <= DistinctValues::limit;
  }

  template <typename F>
  void for_each(F&& body) const {
    for (std::size_t i = 0; i < capacity; ++i)
      if (counts_[i] != 0) body(std::bit_cast<float>(keys_[i]), counts_[i]);
  }

 private:
  std::array<std::uint32_t, capacity> keys_{};
  std::array<std::uint64_t, capacity> counts_{};
  std::size_t size_ = 0;
};
static_assert(CountTable::capacity == 1 << 12);

}  // namespace

void DistinctValues::add(std::span<const float> values) {
  if (too_many_) return;
  CountTable seen;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    if (!seen.add(v)) break;  // check() sees it, too
  }
  seen.for_each([&](float value, std::uint64_t count) { counts_[value] += count; });
  check();
}

void DistinctValues::merge(const DistinctValues& other) {
  too_many_ |= other.too_many_;
  for (const auto& [value, count] : other.counts_) counts_[value] += count;
  check();
}

DistinctValues DistinctValues::restored(std::map<float, std::uint64_t> counts, bool too_many) {
  DistinctValues values;
  values.counts_ = std::move(counts);
  values.too_many_ = too_many;
  values.check();
  return values;
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
      const Range candidate{range.lo * (1 + static_cast<float>(i) / 500),
                            range.hi * (1 + static_cast<float>(j) / 500)};
      const double error =
          squared_error(values, choose_qparams(std::span(&candidate, 1), scheme), levels);
      if (least >= 0 && error >= least) continue;
      least = error;
      best = candidate;
    }
  }
  return best;
}

}  // namespace intaglio
