#include "lib/quant/qparams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace intaglio {

Range join(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

QParams choose_qparams(std::span<const Range> ranges, const Scheme& scheme, double min_range) {
  const Levels levels = levels_of(scheme);
  QParams params{scheme.type, scheme.axis, {}, {}};
  for (const Range& range : ranges) {
    if (!std::isfinite(range.lo) || !std::isfinite(range.hi) || range.lo > range.hi)
      throw Error(Code::data, fmt::format("[{}, {}] is not a range", range.lo, range.hi),
                  "Look for NaN or infinity in the model's weights and in the data.");
    double lo = std::min<double>(range.lo, 0), hi = std::max<double>(range.hi, 0);
    hi = std::max(hi, lo + min_range);
    if (scheme.symmetric) {
      hi = std::max(-lo, hi);
      lo = -hi;
    }
    const double scale = (hi - lo) / (static_cast<double>(levels.hi) - levels.lo);
    if (scale < FLT_MIN) {
      params.scale.push_back(1);
      params.zero_point.push_back(0);
      continue;
    }
    const double zero = scheme.symmetric ? (static_cast<double>(levels.lo) + levels.hi) / 2
                                         : levels.lo - lo / scale;
    params.scale.push_back(static_cast<float>(scale));
    params.zero_point.push_back(static_cast<std::int32_t>(std::nearbyint(zero)));
  }
  return params;
}

Range representable(const QParams& params, const Scheme& scheme, std::size_t channel) {
  const Levels levels = levels_of(scheme);
  const double scale = params.scale[channel];
  const std::int32_t zero = params.zero_point[channel];
  return {static_cast<float>(scale * (levels.lo - zero)), static_cast<float>(scale * (levels.hi - zero))};
}

}  // namespace intaglio
