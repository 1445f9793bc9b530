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

// The codes that QuantizeLinear, and so `run`, makes of pixels: p - below where p < split, and
// p - above for the others. Both are the same where no pixel lies midway between codes; where all do
// (p / 127.5 - 1), those on either side of zero are rounded towards it.
struct PixelCodes {
  int split = 0, below = 0, above = 0;
  int of(int pixel) const { return pixel - (pixel < split ? below : above); }
  std::string formula() const;  // of p, in the words of C: "p - 128", "p - (p < 128 ? 127 : 128)"
};

// nullopt: codes of pixels are not next to each other, or not those of all channels.
std::optional<PixelCodes> pixel_codes(const PreprocessRecipe& recipe, const QParams& params);

}  // namespace intaglio
