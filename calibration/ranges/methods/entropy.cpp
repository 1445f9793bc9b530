// entropy: the range under which the quantized distribution diverges least from the observed one
// (divergence.h), with the real number of levels of the target and all bins of the histogram. Zeros
// take no part: they are exact, and behind Relu would drown everything else. Of equal ranges the
// widest is taken.
#include <fmt/format.h>

#include "calibration/ranges/methods/divergence.h"
#include "calibration/ranges/methods/search.h"
#include "calibration/ranges/methods/selector.h"

namespace intaglio {
namespace {

// At most `most` bins, by joining neighbours.
Bins joined(Bins bins, std::size_t most) {
  while (bins.mass.size() > most) {
    Bins half{bins.width * 2, bins.first >> 1, {}};
    for (std::size_t i = 0; i < bins.mass.size(); ++i) {
      const std::int64_t k = (bins.first + static_cast<std::int64_t>(i)) >> 1;
      half.mass.resize(static_cast<std::size_t>(k - half.first + 1), 0);
      half.mass.back() += bins.mass[i];
    }
    bins = std::move(half);
  }
  return bins;
}

Grid with_levels(const Grid& grid, int levels) {
  if (levels == 0) return grid;
  const int half = (levels - 1) / 2;
  return {grid.symmetric ? Levels{-half, half} : Levels{0, levels - 1}, grid.symmetric};
}

Choice select_entropy(const Statistics& s, const Grid& grid, std::size_t most_bins) {
  const Bins bins = joined(bins_of(s), most_bins);
  const auto codes = static_cast<std::size_t>(grid.levels.hi - grid.levels.lo + 1);
  if (bins.mass.size() < codes)
    return {{s.min, s.max},
            fmt::format("{} bins cannot tell {} codes apart: min and max were taken",
                        bins.mass.size(), codes)};
  const Divergence divergence(bins);
  Search search;
  search.cost = [&](const Range& range) {
    return divergence(choose_affine(range, grid), grid.levels);
  };
  search.bound = [&](const Range& range) {
    return divergence.at_least(choose_affine(range, grid), grid.levels);
  };
  return {search.best({s.min, s.max}, grid.symmetric), ""};
}

}  // namespace

extern const SelectorDef entropy_selector;
const SelectorDef entropy_selector = {
    .name = "entropy",
    .help = "least Kullback-Leibler divergence between the distributions before and after",
    .parameters = {{"bins", Histogram::capacity, 128, Histogram::capacity, "most bins to look at"},
                   {"levels", 0, 0, 65536, "levels of the quantizer; 0: those of the target"}},
    .traits = {.needs_histogram = true},
    .make = [](const Json& parameters) -> Selector {
      const auto bins = static_cast<std::size_t>(parameters["bins"].get<double>());
      const int levels = static_cast<int>(parameters["levels"].get<double>());
      return [=](const Statistics& s, const Grid& grid, const Emphasis&) {
        return select_entropy(s, with_levels(grid, levels), bins);
      };
    },
};

}  // namespace intaglio
