// What images make of a graph input: the values that a recipe can give, and the codes of pixels.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "calibration/data/recipe.h"
#include "calibration/ranges/select.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// The values of pixels 0 and 255; nullopt: channels differ, or larger pixels give smaller values.
std::optional<Range> pixel_range(const PreprocessRecipe& recipe);

// The range under which the code of pixel p is p (u8) or p - 128 (s8): as given, and a 4096th wider
// where the values of pixels would lie midway between codes (as p / 127.5 - 1 do, whose codes are
// half a step off then).
Range range_for_pixels(const Range& range);

// n, where the code of every pixel p is p - n to within half a step; nullopt: there is none.
std::optional<int> pixel_offset(const PreprocessRecipe& recipe, const QParams& params);

}  // namespace intaglio
