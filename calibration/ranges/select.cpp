#include "calibration/ranges/select.h"

#include "calibration/ranges/activation_ranges.h"
#include "calibration/ranges/constant_params.h"
#include "calibration/ranges/shared_ranges.h"

namespace intaglio {

void select(Plan& plan, const Graph& graph, const Observations& observations,
            const SelectOptions& options) {
  const SeenValues seen(graph, observations);
  choose_ranges(plan, seen, options);
  share_ranges(plan, seen, options);
  choose_constants(plan, graph, options);
}

}  // namespace intaglio
