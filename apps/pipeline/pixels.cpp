#include "apps/pipeline/pixels.h"

#include <algorithm>
#include <cmath>

namespace intaglio {

std::optional<Range> pixel_range(const PreprocessRecipe& recipe) {
  const auto all_equal = [](const std::vector<double>& values) {
    return std::ranges::all_of(values, [&](double v) { return v == values.front(); });
  };
  if (recipe.mean.empty() || recipe.deviation.empty() || !all_equal(recipe.mean) ||
      !all_equal(recipe.deviation))
    return std::nullopt;
  const auto value = [&](double pixel) {
    return static_cast<float>((pixel * recipe.scale - recipe.mean.front()) /
                              recipe.deviation.front());
  };
  const Range range{value(0), value(255)};
  return range.lo < range.hi ? std::optional(range) : std::nullopt;
}

Range range_for_pixels(const Range& range) {
  const double step = (static_cast<double>(range.hi) - range.lo) / 255;
  const double zero = -range.lo / step;  // the pixel that gives 0
  const double beyond = std::abs(zero - std::floor(zero) - 0.5);
  if (beyond > 1.0 / 64) return range;
  constexpr float wider = 1 + 1.0F / 4096;
  return {range.lo * wider, range.hi * wider};
}

std::optional<int> pixel_offset(const PreprocessRecipe& recipe, const QParams& params) {
  const auto range = pixel_range(recipe);
  if (!range || params.scale.size() != 1) return std::nullopt;
  const int offset = params.type == DType::s8 ? 128 : 0;
  const double step = (static_cast<double>(range->hi) - range->lo) / 255;
  for (const int pixel : {0, 255}) {  // both are affine: between, they are as near
    const double wanted = range->lo + step * pixel;
    const double coded =
        static_cast<double>(params.scale.front()) * (pixel - offset - params.zero_point.front());
    if (std::abs(wanted - coded) > 0.55 * step) return std::nullopt;
  }
  return offset;
}

}  // namespace intaglio
