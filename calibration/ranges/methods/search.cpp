#include "calibration/ranges/methods/search.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace intaglio {
namespace {

// From the widest to the narrowest; {0} for an end at zero.
std::vector<float> ends(float extreme, int n) {
  if (extreme == 0) return {0};
  std::vector<float> list;
  for (int i = n; i >= 0; --i)
    list.push_back(static_cast<float>(static_cast<double>(extreme) * i / n));
  return list;
}

}  // namespace

Range Search::best(const Range& observed, bool symmetric) const {
  const float lo = std::min(observed.lo, 0.0f), hi = std::max(observed.hi, 0.0f);
  Range best{lo, hi};
  double least = std::numeric_limits<double>::infinity();
  const auto attempt = [&](const Range& range) {
    if (bound && bound(range) >= least) return;
    const double c = cost(range);
    if (c < least) least = c, best = range;
  };
  const auto cost_lo = [&](float end) { return bound_lo ? bound_lo(end) : 0.0; };
  const auto cost_hi = [&](float end) { return bound_hi ? bound_hi(end) : 0.0; };
  if (symmetric) {
    for (const float a : ends(std::max(-lo, hi), one_sided)) {
      if (a == 0) break;
      const Range range{std::max(-a, lo), std::min(a, hi)};
      if (cost_lo(range.lo) + cost_hi(range.hi) >= least) break;
      attempt(range);
    }
    return best;
  }
  const int n = lo < 0 && hi > 0 ? two_sided : one_sided;
  const std::vector<float> upper = ends(hi, n);
  std::vector<double> above;  // the same for every lower end
  for (const float b : upper) above.push_back(cost_hi(b));
  for (const float a : ends(lo, n)) {
    const double below = cost_lo(a);
    if (below >= least) break;
    for (std::size_t j = 0; j < upper.size() && below + above[j] < least; ++j)
      if (a < upper[j]) attempt({a, upper[j]});
  }
  return best;
}

}  // namespace intaglio
