#include "lib/quant/group_method.h"

#include <algorithm>

namespace intaglio {

void IndependentGroups::quantize(std::span<const PanelRow> weights, std::size_t first_input,
                                 std::size_t group, const GroupGrid& grid,
                                 QuantizedPanel& result) const {
  for (std::size_t g = 0; g < result.params.size(); ++g) {
    const std::size_t first = g * group;
    const auto w = weights.subspan(first, std::min(group, weights.size() - first));
    result.params[g] = choose(w, first_input + first, grid);
    encode(w, result.params[g], grid, {&result.codes[first], w.size()});
  }
}

}  // namespace intaglio
