// mse: the range under which quantizing has the least expected error, sum |x - q(x)|^norm over the
// histogram (of negative values, times what they matter to their readers) with the scale and zero
// point that the range really gets. Both ends are searched (search.h). Zeros are exact in every
// quantizer and take no part.
#include <cmath>

#include "calibration/ranges/methods/quantizer_error.h"
#include "calibration/ranges/methods/search.h"
#include "calibration/ranges/methods/selector.h"

namespace intaglio {
namespace {

Bins weighted(Bins bins, const Emphasis& emphasis) {
  for (std::size_t i = 0; i < bins.mass.size() && bins.left(i) < 0; ++i)
    bins.mass[i] *= emphasis.below_zero;
  return bins;
}

Choice select_mse(const Statistics& s, const Grid& grid, double norm, const Emphasis& emphasis) {
  const Bins bins = weighted(bins_of(s), emphasis);
  const SquaredError squared(bins);
  const Range observed{s.min, s.max};
  Search search;
  // The outermost point may lie half a step beyond the end of a candidate.
  const double slack = choose_affine(observed, grid).scale;
  if (norm == 2) {
    search.cost = [&](const Range& range) {
      return squared(choose_affine(range, grid), grid.levels);
    };
    search.bound_lo = [&](float lo) { return grid.symmetric ? 0 : squared.below(lo - slack); };
    search.bound_hi = [&](float hi) { return grid.symmetric ? 0 : squared.above(hi + slack); };
  } else {
    search.two_sided = 24;
    search.cost = [&](const Range& range) {
      return quantizer_error(bins, choose_affine(range, grid), grid.levels, norm);
    };
  }
  return {search.best(observed, grid.symmetric), ""};
}

}  // namespace

extern const SelectorDef mse_selector;
const SelectorDef mse_selector = {
    .name = "mse",
    .help = "least squared error of the quantizer over the histogram",
    .parameters = {{"norm", 2, 0.5, 8, "exponent of the error"}},
    .traits = {.needs_histogram = true, .minimizes_error = true},
    .make = [](const Json& parameters) -> Selector {
      const double norm = parameters["norm"].get<double>();
      return [norm](const Statistics& s, const Grid& grid, const Emphasis& emphasis) {
        return select_mse(s, grid, norm, emphasis);
      };
    },
};

}  // namespace intaglio
