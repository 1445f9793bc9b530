#include "calibration/refine/shift.h"

#include <algorithm>
#include <cmath>

namespace intaglio {
namespace {

// Of all channels, zero included.
double width(const ChannelStatistics& s) {
  float lo = 0, hi = 0;
  for (std::size_t c = 0; c < s.channels(); ++c)
    lo = std::min(lo, s.min[c]), hi = std::max(hi, s.max[c]);
  return static_cast<double>(hi) - static_cast<double>(lo);
}

std::vector<float> middles(const ChannelStatistics& s) {
  std::vector<float> m;
  for (std::size_t c = 0; c < s.channels(); ++c) m.push_back((s.max[c] + s.min[c]) / 2);
  return m;
}

using ByName = std::map<std::string, std::vector<float>>;

// A layer's own middles; else what follows from the inputs.
std::vector<float> shift_of(const GroupValue& member, const ChannelStatistics& s,
                            const ByName& known) {
  const Node& maker = *member.value->producer();
  if (layer_of(maker)) return middles(s);
  std::vector<float> m;
  for (const Value* input : maker.inputs()) {
    const auto it = input == nullptr ? known.end() : known.find(input->name());
    if (it == known.end()) continue;
    if (maker.is("Concat")) {
      m.insert(m.end(), it->second.begin(), it->second.end());
    } else if (m.empty()) {
      m = it->second;
    } else {
      for (std::size_t c = 0; c < m.size(); ++c) m[c] += it->second[c];
    }
  }
  return m;
}

}  // namespace

Shifts choose_shifts(const std::vector<ChannelGroup>& groups, const ChannelMeasurements& measured) {
  Shifts result;
  double sum = 0;
  for (const ChannelGroup& group : groups) {
    ByName shifts;
    double gain = 0;
    for (const GroupValue& member : group.values) {
      const ChannelStatistics& before = measured.at(member.value->name());
      const auto& m = shifts[member.value->name()] = shift_of(member, before, shifts);
      ChannelStatistics after = before;
      after.shift_by(m);
      if (width(before) > 0 && width(after) > 0) gain += std::log(width(after) / width(before));
    }
    if (!(gain < 0)) continue;
    sum += gain;
    ++result.groups;
    for (auto& [name, m] : shifts) result.channels.push_back({name, std::move(m), {}});
  }
  if (!result.channels.empty())
    result.range_ratio = std::exp(sum / static_cast<double>(result.channels.size()));
  return result;
}

}  // namespace intaglio
