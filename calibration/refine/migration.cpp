#include "calibration/refine/migration.h"

#include <algorithm>
#include <numeric>

#include "calibration/refine/channels.h"

namespace intaglio {
namespace {

std::set<const Value*> values_of(const std::vector<ChannelGroup>& groups) {
  std::set<const Value*> values;
  for (const ChannelGroup& group : groups)
    for (const GroupValue& member : group.values) values.insert(member.value);
  return values;
}

// Copies of values that the changed network makes on codes all the same.
std::set<std::string> useless_copies(const Model& model, const std::vector<ChannelPlan>& channels,
                                     const Redraft& redraft) {
  Model changed = model.clone();
  const auto left_float = apply_channels(changed, channels);
  const Plan draft = redraft(changed.graph(), left_float);
  std::set<std::string> on_codes, useless;
  for (const NodePlan& node : draft.nodes)
    if (node.quantized) on_codes.insert(node.output);
  for (const ChannelPlan& c : channels)
    if (c.copied && draft.find(c.name) != nullptr && on_codes.contains(c.name))
      useless.insert(c.name);
  return useless;
}

}  // namespace

std::vector<ChannelGroup> copy_candidates(const Graph& graph, const Plan& draft) {
  std::set<const Value*> elsewhere = values_of(scalable_groups(graph));
  elsewhere.merge(values_of(carried_groups(graph)));
  std::vector<ChannelGroup> candidates;
  for (const ActivationPlan& activation : draft.activations) {
    const Value* value = graph.find(activation.name);
    if (value == nullptr || value->producer() == nullptr || elsewhere.contains(value)) continue;
    if (activation.group != activation.name) continue;  // moved, or joined: in codes before
    ChannelGroup group;
    group.readers = readers_of_copy(graph, *value);
    if (group.readers.empty()) continue;
    group.width = group.readers.front().inputs;
    GroupValue member{value, group.readers.front().axis, std::vector<std::size_t>(group.width)};
    std::iota(member.channels.begin(), member.channels.end(), std::size_t{0});
    group.values.push_back(std::move(member));
    candidates.push_back(std::move(group));
  }
  return candidates;
}

Migration choose_migration(const Model& model, const std::vector<ChannelGroup>& carried,
                           const std::vector<ChannelGroup>& candidates,
                           const ChannelMeasurements& measured, const Plan& plan,
                           const Redraft& redraft) {
  Equalization absorbed = choose_scales(carried, measured, plan, absorbed_noise);
  Equalization copied = choose_scales(candidates, measured, plan, copied_noise);
  for (ChannelPlan& c : copied.channels) c.copied = true;
  const auto all = [&] {
    std::vector<ChannelPlan> channels = plan.channels;
    channels.insert(channels.end(), absorbed.channels.begin(), absorbed.channels.end());
    channels.insert(channels.end(), copied.channels.begin(), copied.channels.end());
    return channels;
  };
  for (std::set<std::string> useless; !copied.channels.empty();) {
    useless = useless_copies(model, all(), redraft);
    if (useless.empty()) break;
    std::erase_if(copied.channels, [&](const ChannelPlan& c) { return useless.contains(c.name); });
    std::erase_if(copied.groups,
                  [&](const GroupEqualization& g) { return useless.contains(g.value); });
  }
  Migration result{std::move(absorbed.channels), std::move(absorbed.groups), {}};
  for (const GroupEqualization& g : copied.groups)
    if (g.alpha > 0) result.copied.insert(g.value);
  std::ranges::move(copied.channels, std::back_inserter(result.channels));
  std::ranges::move(copied.groups, std::back_inserter(result.groups));
  return result;
}

}  // namespace intaglio
