// minmax: the range holds every finite value that was observed. Nothing is clipped; a single outlier costs
// resolution.
#include "calibration/selectors/selector.h"

namespace intaglio {

extern const SelectorDef minmax_selector;
const SelectorDef minmax_selector = {
    .name = "minmax",
    .help = "smallest and largest value: nothing is clipped",
    .parameters = {},
    .make = [](const Json&) -> Selector {
      return [](const Statistics& s, const Scheme&) { return Range{s.min, s.max}; };
    },
};

}  // namespace intaglio
