// percentile: the range that leaves (100 - p) / 2 percent of the values out on either side, or,
// when symmetric, (100 - p) percent of the magnitudes. Bounds are interpolated inside their bin and
// never leave what was observed.
//
// A p that would cut off less than one value says nothing about the value at hand: min and max are
// taken instead, and the report says so.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/ranges/methods/bins.h"
#include "calibration/ranges/methods/selector.h"

namespace intaglio {
namespace {

// The x below which `target` of the mass lies. The zeros lie at 0, between the bins.
double quantile(const Bins& bins, double zeros, double target) {
  double below = 0;
  for (std::size_t i = 0; i < bins.mass.size(); ++i) {
    if (bins.left(i) >= 0 && zeros > 0) {
      if (target <= below + zeros && target >= below) return 0;
      below += zeros;
      zeros = 0;
    }
    if (bins.mass[i] > 0 && target <= below + bins.mass[i])
      return bins.left(i) + bins.width * (target - below) / bins.mass[i];
    below += bins.mass[i];
  }
  return zeros > 0 ? 0 : bins.left(bins.mass.size());
}

// Both signs folded onto one side.
Bins magnitudes(const Bins& bins) {
  Bins folded{bins.width, 0, {}};
  for (std::size_t i = 0; i < bins.mass.size(); ++i) {
    const std::int64_t k = bins.first + static_cast<std::int64_t>(i);
    const auto m = static_cast<std::size_t>(k < 0 ? -k - 1 : k);
    // Far from zero the bins are few, but their numbers are not.
    if (folded.mass.empty()) folded.first = static_cast<std::int64_t>(m);
    const std::int64_t at = static_cast<std::int64_t>(m) - folded.first;
    if (at < 0) {
      folded.mass.insert(folded.mass.begin(), static_cast<std::size_t>(-at), 0.0);
      folded.first = static_cast<std::int64_t>(m);
    }
    const auto place = static_cast<std::size_t>(static_cast<std::int64_t>(m) - folded.first);
    if (place >= folded.mass.size()) folded.mass.resize(place + 1, 0.0);
    folded.mass[place] += bins.mass[i];
  }
  return folded;
}

Choice select_percentile(const Statistics& s, const Grid& grid, double p) {
  const auto count = static_cast<double>(s.finite());
  const double left_out = (100 - p) / 100 * (grid.symmetric ? 1 : 0.5);
  if (p < 100 && left_out * count < 1)
    return {{s.min, s.max},
            fmt::format("{} values cannot resolve p = {}: min and max were taken", s.finite(), p)};
  const Bins bins = bins_of(s);
  const auto zeros = static_cast<double>(s.zeros);
  if (!grid.symmetric) {
    const auto lo = static_cast<float>(quantile(bins, zeros, left_out * count));
    const auto hi = static_cast<float>(quantile(bins, zeros, (1 - left_out) * count));
    return {{std::clamp(lo, s.min, s.max), std::clamp(hi, s.min, s.max)}, ""};
  }
  const auto a = static_cast<float>(quantile(magnitudes(bins), zeros, (1 - left_out) * count));
  return {{std::max(-a, s.min), std::min(a, s.max)}, ""};
}

}  // namespace

extern const SelectorDef percentile_selector;
const SelectorDef percentile_selector = {
    .name = "percentile",
    .help = "leaves out the outermost values, half of 100 - p percent on either side",
    .parameters = {{"p", 99.999, 50.0000001, 100, "percent of the values that the range covers"}},
    .traits = {.needs_histogram = true},
    .make = [](const Json& parameters) -> Selector {
      const double p = parameters["p"].get<double>();
      return [p](const Statistics& s, const Grid& grid, const Emphasis&) {
        return select_percentile(s, grid, p);
      };
    },
};

}  // namespace intaglio
