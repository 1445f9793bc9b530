#include "lib/quant/qparams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "lib/quant/half_precision.h"
#include "lib/tensor/code_of.h"

namespace intaglio {

Range join(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

Grid grid_of(const Scheme& scheme) { return {levels_of(scheme), scheme.symmetric}; }

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
  const double scale = (hi - lo) / (code_hi - code_lo);
  if (scale < FLT_MIN) return {1, 0};
  const double zero = grid.symmetric ? (code_lo + code_hi) / 2 : code_lo - lo / scale;
  return {scale, static_cast<std::int32_t>(std::nearbyint(zero))};
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
  const Levels levels = levels_of(scheme);
  if (!scheme.symmetric)
    params.zero_point.front() = std::clamp(
        static_cast<std::int32_t>(std::nearbyint(levels.lo - std::min(0.0f, range.lo) / scale)),
        levels.lo, levels.hi);
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
