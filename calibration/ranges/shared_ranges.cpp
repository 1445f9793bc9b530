#include "calibration/ranges/shared_ranges.h"

#include <fmt/format.h>

#include <unordered_map>

#include "calibration/ranges/leaky_relu_scale.h"
#include "calibration/ranges/unshared.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/array.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

class Sharing {
 public:
  Sharing(Plan& plan, const SeenValues& seen, const SelectOptions& options)
      : plan_(plan), seen_(seen), options_(options) {}

  void run() {
    join_groups();
    if (options_.unshare) unshare();
    note_groups();
    for (ActivationPlan& activation : plan_.activations) avoid_ties(activation);
    if (options_.method.traits.minimizes_error)
      for (ActivationPlan& activation : plan_.activations) keep_scale(activation);
    for (ActivationPlan& activation : plan_.activations) {
      activation.range = groups_.at(activation.group);
      activation.params =
          choose_qparams(std::span(&activation.range, 1), activation.scheme, options_.min_range);
    }
    if (options_.unshare) end_at_bounds();
  }

 private:
  void join_groups() {
    for (ActivationPlan& activation : plan_.activations)
      if (!left_to_pools(plan_, seen_.graph, activation)) widen(activation.group, activation.range);
    for (const NodePlan& node : plan_.nodes)
      for (const ConstantPlan& constant : node.constants)
        if (!constant.group.empty() && !looks_up(node))
          widen(constant.group,
                ranges_of(seen_.graph.find(constant.name)->constant(), std::nullopt).front());
  }

  // Its table is seen by the rows that are found.
  static bool looks_up(const NodePlan& node) {
    const OpTraits* traits = find_traits(node.op);
    return traits != nullptr && traits->weights == WeightKind::table;
  }

  void widen(const std::string& group, const Range& range) {
    const auto [it, fresh] = groups_.try_emplace(group, range);
    if (!fresh) it->second = join(it->second, range);
  }

  // Takes values out of groups whose range would cost them a fusion. What stays keeps the joint
  // range.
  void unshare() {
    const auto parts = unshared(plan_, seen_.graph, groups_);
    if (parts.empty()) return;
    const auto joint = groups_;
    for (const UnsharedPart& part : parts)
      for (const std::string& name : part.values) plan_.find(name)->group = part.group;
    std::map<std::string, std::string> before;  // by value that stays
    for (const ActivationPlan& a : plan_.activations)
      if (joint.contains(a.group)) before[a.name] = a.group;
    name_groups_after_first(plan_);
    groups_.clear();
    join_groups();
    std::map<std::string, std::string> renamed;
    for (const auto& [name, group] : before) {
      renamed[group] = plan_.find(name)->group;
      groups_[renamed[group]] = joint.at(group);
    }
    for (const UnsharedPart& part : parts) {
      ActivationPlan& made = *plan_.find(part.maker);
      groups_[made.group] = part.range;
      made.notes.push_back(fmt::format(
          "has not the range of '{}', with which the {} could not end "
          "the {}",
          renamed[part.joined], seen_.graph.find(made.name)->producer()->op(), part.fused));
    }
  }

  // Steps of a range that lies evenly around 0 (Clip to -4..4) leave half a step beyond one bound,
  // or, by the last bit, not: a little finer, they reach the codes that the bounds saturate to.
  void end_at_bounds() {
    for (const ActivationPlan& clipped : plan_.activations) {
      const Node* clip = seen_.graph.find(clipped.name)->producer();
      if (clip == nullptr || !clip->is("Clip") || plan_.find(clip->input(0)->name()) != nullptr)
        continue;
      const Bound bound = bound_of_producer(*seen_.graph.find(clipped.name));
      const auto saturates = [&](const QParams& params) {
        return saturates_at(params, clipped.scheme, static_cast<double>(bound.lo),
                            static_cast<double>(bound.hi));
      };
      const QParams finer = slightly_finer(clipped.params);
      if (saturates(clipped.params) || !saturates(finer)) continue;
      for (ActivationPlan& other : plan_.activations)
        if (other.group == clipped.group) other.params = finer;
    }
  }

  void note_groups() {
    for (ActivationPlan& activation : plan_.activations)
      if (left_to_pools(plan_, seen_.graph, activation))
        activation.notes.emplace_back("has the range of what MaxPool makes of it");
      else if (groups_.at(activation.group) != activation.range)
        activation.notes.push_back(fmt::format("shares the range of '{}'", activation.group));
  }

  // An input of few distinct values leads its group: what shares its parameters only moves it
  // about.
  void avoid_ties(ActivationPlan& activation) {
    const auto it = seen_.observations.inputs.find(activation.name);
    if (it == seen_.observations.inputs.end() || activation.group != activation.name ||
        options_.known.contains(activation.name))
      return;
    Range& range = groups_.at(activation.group);
    const Range better = without_ties(range, it->second, activation.scheme);
    if (better == range) return;
    activation.notes.emplace_back("widened so that its levels do not fall on half steps");
    range = better;
  }

  // Whether all values that share its parameters are moved copies of it.
  bool shares_with_copies_alone(const ActivationPlan& first) const {
    return std::ranges::all_of(plan_.activations, [&](const ActivationPlan& other) {
      if (other.group != first.group || &other == &first) return true;
      const Node* mover = seen_.graph.find(other.name)->producer();
      if (mover == nullptr || traits_of(*mover).joins || mover->input(0) == nullptr) return false;
      const ActivationPlan* moved = plan_.find(mover->input(0)->name());
      return moved != nullptr && moved->group == first.group;
    });
  }

  // Of a LeakyRelu. Its input comes first in the plan.
  void keep_scale(ActivationPlan& result) {
    const Node* leaky = seen_.graph.find(result.name)->producer();
    const auto slope_of = leaky != nullptr ? traits_of(*leaky).slope_below_zero : nullptr;
    if (slope_of == nullptr || result.group != result.name || !shares_with_copies_alone(result))
      return;
    const ActivationPlan* input = plan_.find(leaky->input(0)->name());
    const double slope = slope_of(*leaky);
    if (input == nullptr || seen_.of(result).finite() == 0 || !(slope >= 0 && slope <= 1)) return;
    Range& range = groups_.at(result.group);
    const auto kept = leaky_relu_scale(groups_.at(input->group), range, slope, seen_.of(result),
                                       grid_of(result.scheme), options_.min_range);
    if (!kept) return;
    result.notes.push_back(fmt::format("keeps the scale of '{}'", input->name));
    range = *kept;
  }

  Plan& plan_;
  const SeenValues& seen_;
  const SelectOptions& options_;
  std::unordered_map<std::string, Range> groups_;
};

}  // namespace

void share_ranges(Plan& plan, const SeenValues& seen, const SelectOptions& options) {
  Sharing(plan, seen, options).run();
}

}  // namespace intaglio
