#include "calibration/refine/channel_ties.h"

#include <map>
#include <set>

namespace intaglio {

ChannelGroup* TiedGroups::of(const Value* value) {
  const auto it = index.find(value);
  return it == index.end() ? nullptr : &groups[it->second];
}

ChannelTies::Entry* ChannelTies::known(const Value* value) {
  const auto it = entries_.find(value);
  return it == entries_.end() ? nullptr : &it->second;
}

bool ChannelTies::fits_axis(const Value* value, int axis, std::size_t channels) {
  const Entry* e = known(value);
  return e != nullptr && e->axis == axis && e->heads < 0 && e->channels.size() == channels;
}

ChannelTies::Entry& ChannelTies::enter(const Value* value, int axis, std::size_t channels) {
  Entry& e = entries_[value];
  e.set = values_.add();
  blocked_.push_back(false);
  order_.push_back(value);
  e.axis = axis;
  e.channels.resize(channels);
  return e;
}

void ChannelTies::block(const Value* value) {
  if (const Entry* e = known(value)) blocked_[e->set] = true;
}

TiedGroups ChannelTies::groups() {
  std::set<std::size_t> bad;
  for (std::size_t i = 0; i < blocked_.size(); ++i)
    if (blocked_[i]) bad.insert(values_.find(i));
  std::map<std::size_t, std::size_t> numbers;  // of groups, by set
  TiedGroups tied;
  std::vector<std::unordered_map<std::size_t, std::size_t>> widths;
  for (const Value* value : order_) {
    const Entry& e = *known(value);
    const std::size_t set = values_.find(e.set);
    if (bad.contains(set)) continue;
    const auto [it, fresh] = numbers.try_emplace(set, tied.groups.size());
    if (fresh) tied.groups.emplace_back(), widths.emplace_back();
    tied.index[value] = it->second;
    if (e.heads >= 0) continue;
    ChannelGroup& group = tied.groups[it->second];
    auto& width = widths[it->second];
    GroupValue member{value, e.axis, {}};
    for (const std::size_t c : e.channels)
      member.channels.push_back(width.try_emplace(channels_.find(c), width.size()).first->second);
    group.width = width.size();
    group.values.push_back(std::move(member));
  }
  return tied;
}

}  // namespace intaglio
