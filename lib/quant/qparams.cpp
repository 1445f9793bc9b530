#include "lib/quant/qparams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "lib/quant/half_precision.h"
#include "lib/tensor/code_of.h"

namespace intaglio {

Range join(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

Grid grid_of(const Scheme& scheme) {
  Grid grid{levels_of(scheme), scheme.symmetric};
  if (scheme.off_centre)
    grid.avoided = is_signed_code(scheme.type) ? 0 : 1 << (bits_of(scheme.type) - 1);
  return grid;
}

namespace {

std::int32_t beside_avoided(std::int32_t zero, const Grid& grid) {
  return grid.avoided == zero ? zero - 1 : zero;
}

}  // namespace

Affine choose_affine(const Range& range, const Grid& grid, double min_range) {
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi) || range.lo > range.hi)
    throw Error(Code::data, fmt::format("[{}, {}] is not a range", range.lo, range.hi),
                "Look for NaN or infinity in the model's weights and in the data.");
  const auto code_lo = static_cast<double>(grid.levels.lo),
             code_hi = static_cast<double>(grid.levels.hi);
  double lo = std::min<double>(range.lo, 0), hi = std::max<double>(range.hi, 0);
  hi = std::max(hi, lo + min_range);
  if (grid.symmetric) {
    hi = std::max(-lo, hi);
    lo = -hi;
  }
  double scale = (hi - lo) / (code_hi - code_lo);
  if (scale < FLT_MIN) return {1, beside_avoided(0, grid)};
  const double exact = grid.symmetric ? (code_lo + code_hi) / 2 : code_lo - lo / scale;
  const auto nearest = static_cast<std::int32_t>(std::nearbyint(exact));
  const std::int32_t zero = beside_avoided(nearest, grid);
  if (zero != nearest) scale = std::max(scale, -lo / (zero - code_lo));
  return {scale, zero};
}

QParams choose_qparams(std::span<const Range> ranges, const Scheme& scheme, double min_range) {
  const Grid grid = grid_of(scheme);
  QParams params{scheme.type, scheme.axis, {}, {}};
  for (const Range& range : ranges) {
    const Affine affine = choose_affine(range, grid, min_range);
    params.scale.push_back(static_cast<float>(affine.scale));
    params.zero_point.push_back(affine.zero_point);
  }
  return params;
}

float next_power_of_two(float scale) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);  // in [0.5, 1)
  return std::ldexp(1.0f, mantissa == 0.5f ? exponent - 1 : exponent);
}

void enlarge_scale(QParams& params, const Scheme& scheme, const Range& range, float scale) {
  const Grid grid = grid_of(scheme);
  const Levels levels = grid.levels;
  if (!scheme.symmetric)
    params.zero_point.front() = beside_avoided(
        std::clamp(
            static_cast<std::int32_t>(std::nearbyint(levels.lo - std::min(0.0f, range.lo) / scale)),
            levels.lo, levels.hi),
        grid);
  params.scale.front() = scale;
}

bool saturates_at(const QParams& params, const Scheme& scheme, double lo, double hi) {
  const Levels levels = levels_of(scheme);
  const double scale = params.scale.front(), zero = params.zero_point.front();
  return unclamped_code(lo, scale, zero) <= levels.lo &&
         unclamped_code(hi, scale, zero) >= levels.hi;
}

Range representable(const QParams& params, const Scheme& scheme, std::size_t channel) {
  if (is_half(params.type)) return half_range(params.type);
  const Levels levels = levels_of(scheme);
  const double scale = params.scale[channel];
  const std::int32_t zero = params.zero_point[channel];
  return {static_cast<float>(scale * (levels.lo - zero)),
          static_cast<float>(scale * (levels.hi - zero))};
}

}  // namespace intaglio
