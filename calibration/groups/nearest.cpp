// nearest: scale and zero point cover the range of a group, which needs no data and no search.
#include "calibration/groups/methods.h"

namespace intaglio {
namespace {

class Nearest : public IndependentGroups {
  GroupParams choose(std::span<const PanelRow> weights, std::size_t,
                     const GroupGrid& grid) const override {
    return cover(group_range(weights), grid);
  }
};

}  // namespace

std::unique_ptr<GroupMethod> make_nearest() { return std::make_unique<Nearest>(); }

}  // namespace intaglio
