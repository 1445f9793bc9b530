#include "calibration/statistics/distinct_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "lib/tensor/code_of.h"

namespace intaglio {

namespace {

// Counts by bit pattern, open addressing; half full at most. Neighbours are often equal, and
// increments of one address wait for each other: they take turns in four counts.
class CountTable {
 public:
  static constexpr std::size_t most = std::size_t{1} << 31;  // values that cannot overflow a count

  CountTable() { keys_.fill(empty); }

  // False when there are too many distinct values.
  bool add(std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(values[i] + 0.0f);  // one zero, not two
      // Knuth's multiplicative hash; the upper half moves it, too, as pixels differ in few bits.
      std::size_t at = (bits ^ bits >> 16) * 2654435769u >> (32 - bits_of_slot);
      if (keys_[at] != bits) {
        if (!std::isfinite(values[i])) continue;
        while (keys_[at] != bits && keys_[at] != empty) at = (at + 1) % capacity;
        if (keys_[at] == empty && ++size_ > DistinctValues::limit) return false;
        keys_[at] = bits;
      }
      ++counts_[at][i % turns];
    }
    return true;
  }

  template <typename F>
  void for_each(F&& body) const {
    for (std::size_t i = 0; i < capacity; ++i) {
      std::uint64_t count = 0;
      for (const std::uint32_t c : counts_[i]) count += c;
      if (count != 0) body(std::bit_cast<float>(keys_[i]), count);
    }
  }

 private:
  static constexpr unsigned bits_of_slot = 11;
  static constexpr std::size_t capacity = std::size_t{1} << bits_of_slot, turns = 4;
  static constexpr std::uint32_t empty = 0x80000000;  // minus zero: no key
  static_assert(capacity == 2 * DistinctValues::limit);

  std::array<std::uint32_t, capacity> keys_{};
  std::array<std::array<std::uint32_t, turns>, capacity> counts_{};
  std::size_t size_ = 0;
};

}  // namespace

void DistinctValues::add(std::span<const float> values) {
  for (std::size_t at = 0; at < values.size() && !too_many_; at += CountTable::most) {
    CountTable seen;
    too_many_ = !seen.add(values.subspan(at, std::min(CountTable::most, values.size() - at)));
    seen.for_each([&](float value, std::uint64_t count) { counts_[value] += count; });
    check();
  }
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
  const auto lo = static_cast<float>(levels.lo), hi = static_cast<float>(levels.hi);
  double error = 0;
  for (const auto& [x, count] : values.counts()) {
    const float code = code_of(x, scale, zero, lo, hi);
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
