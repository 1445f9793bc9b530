#include "apps/pipeline/pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/tensor/code_of.h"

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

std::string PixelCodes::formula() const {
  if (below == above) return above == 0 ? "p" : fmt::format("p - {}", above);
  return fmt::format("p - (p < {} ? {} : {})", split, below, above);
}

std::optional<PixelCodes> pixel_codes(const PreprocessRecipe& recipe, const QParams& params) {
  if (!pixel_range(recipe) || params.scale.size() != 1) return std::nullopt;
  const float lo = params.type == DType::s8 ? -128 : 0;
  const auto offset = [&](int pixel) {
    const auto real =
        static_cast<float>((pixel * recipe.scale - recipe.mean.front()) / recipe.deviation.front());
    return pixel -
           static_cast<int>(code_of(real, params.scale.front(),
                                    static_cast<float>(params.zero_point.front()), lo, lo + 255));
  };
  PixelCodes codes{.split = 0, .below = offset(0), .above = offset(255)};
  while (codes.split < 256 && offset(codes.split) == codes.below) ++codes.split;
  if (codes.below == codes.above) codes.split = 0;
  for (int pixel = 0; pixel < 256; ++pixel)
    if (codes.of(pixel) != pixel - offset(pixel)) return std::nullopt;
  return codes;
}

}  // namespace intaglio
