// Shift: the middle of each channel moves to zero.
//
// Where the results of layers have channels with different offsets (a MobileNet's bottlenecks), the
// range of the whole tensor is wider than that of any channel. A layer without activation gives up
// its channel's middle, m_c = (max_c + min_c) / 2, and those who read it put it back through their
// biases. Exact in float.
#pragma once

#include <vector>

#include "calibration/refine/channel_groups.h"
#include "calibration/refine/channel_statistics.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct Shifts {
  std::vector<ChannelPlan> channels;  // with shifts alone
  std::size_t groups = 0;             // that gained by it
  double range_ratio = 1;             // geometric mean of new over old ranges of the values
};

// Groups are taken as a whole, and only when their ranges become narrower. Every value of the
// groups must have been measured.
Shifts choose_shifts(const std::vector<ChannelGroup>& groups, const ChannelMeasurements& measured);

}  // namespace intaglio
