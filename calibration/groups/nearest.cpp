// nearest: scale and zero point cover the range of a group, which needs no data and no search.
#include "calibration/groups/methods.h"

namespace intaglio {
namespace {

class Nearest : public GroupMethod {
 public:
  void quantize(std::span<const PanelRow> weights, std::size_t, std::size_t group,
                const GroupGrid& grid, QuantizedPanel& result) const override {
    for (std::size_t g = 0; g < result.params.size(); ++g) {
      const std::size_t first = g * group;
      const auto w = weights.subspan(first, std::min(group, weights.size() - first));
      result.params[g] = cover(group_range(w), grid);
      encode(w, result.params[g], grid, {&result.codes[first], w.size()});
    }
  }
};

}  // namespace

std::unique_ptr<GroupMethod> make_nearest() { return std::make_unique<Nearest>(); }

}  // namespace intaglio
