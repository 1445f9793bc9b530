#include "calibration/ranges/leaky_relu_scale.h"

#include <cmath>

#include "calibration/ranges/methods/quantizer_error.h"

namespace intaglio {
namespace {

Range with_scale_of(const Affine& read, double slope, const Grid& grid) {
  const double s = read.scale, width = grid.levels.steps();
  const double below = static_cast<double>(read.zero_point) - grid.levels.lo;  // codes below zero
  const double lo = grid.symmetric ? -width / 2 : -std::ceil(slope * below);
  return {static_cast<float>(lo * s), static_cast<float>((lo + width) * s)};
}

Bins below_zero(Bins bins) {
  for (std::size_t i = 0; i < bins.mass.size(); ++i)
    if (bins.left(i) >= 0) bins.mass[i] = 0;
  return bins;
}

}  // namespace

std::optional<Range> leaky_relu_scale(const Range& read, const Range& made, double slope,
                                      const Statistics& result, const Grid& grid,
                                      double min_range) {
  const Range kept = with_scale_of(choose_affine(read, grid, min_range), slope, grid);
  const Bins bins = bins_of(result);
  const auto error = [&](const Bins& of, const Range& range) {
    return SquaredError(of)(choose_affine(range, grid, min_range), grid.levels);
  };
  if (error(below_zero(bins), kept) < error(bins, made)) return kept;
  return std::nullopt;
}

}  // namespace intaglio
