// minmax: the range holds every finite value that was observed. Nothing is clipped; a single
// outlier costs resolution. With average=1 it runs from the mean of the samples' minima to the mean
// of their maxima, and what lies beyond is clipped.
#include "calibration/ranges/methods/selector.h"

namespace intaglio {

extern const SelectorDef minmax_selector;
const SelectorDef minmax_selector = {
    .name = "minmax",
    .help = "smallest and largest value: nothing is clipped",
    .parameters = {{"average", 0, 0, 1, "1: mean of the samples' minima and maxima"}},
    .traits = {.keeps_extremes = true},
    .make = [](const Json& parameters) -> Selector {
      const bool average = parameters["average"].get<double>() != 0;
      return [average](const Statistics& s, const Grid&, const Emphasis&) -> Choice {
        if (!average || s.samples == 0) return {{s.min, s.max}, ""};
        const auto n = static_cast<double>(s.samples);
        return {{static_cast<float>(s.sample_minima.value() / n),
                 static_cast<float>(s.sample_maxima.value() / n)},
                ""};
      };
    },
};

}  // namespace intaglio
