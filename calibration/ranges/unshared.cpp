#include "calibration/ranges/unshared.h"

#include <algorithm>
#include <set>

#include "lib/graph/op_traits.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

class Parting {
 public:
  Parting(const Plan& plan, const Graph& graph,
          const std::unordered_map<std::string, Range>& ranges)
      : plan_(plan), graph_(graph), ranges_(ranges) {
    for (const NodePlan& node : plan.nodes)
      if (node.quantized) quantized_.insert(node.output);
  }

  std::vector<UnsharedPart> run() {
    std::vector<UnsharedPart> parts;
    for (const ActivationPlan& a : plan_.activations) {
      const Node* producer = fused_into(a);
      if (producer == nullptr || taken_.contains(a.name)) continue;
      const Bound clip = bound_of_producer(*graph_.find(a.name));
      const Range joint = ranges_.at(a.group);
      if (fits(a, joint, clip)) continue;
      UnsharedPart part{copies_of(a), {}, a.group, a.name, producer->op(), {}};
      const Range own = own_range(part), moved{0, joint.hi - joint.lo};
      const bool finer =
          read_elsewhere(part) && 2 * length(own) * length(own) < length(joint) * length(joint);
      part.range = finer || !fits(a, moved, clip) ? own : moved;
      if (!fits(a, part.range, clip)) continue;
      part.group = part.maker + " by itself";
      taken_.insert(part.values.begin(), part.values.end());
      parts.push_back(std::move(part));
    }
    return parts;
  }

 private:
  static float length(const Range& range) { return range.hi - range.lo; }

  // What a Relu or Clip that makes the value is computed with; null: it has a pair before it, or
  // the value shares with nobody.
  const Node* fused_into(const ActivationPlan& a) const {
    const Node* clip = graph_.find(a.name)->producer();
    if (clip == nullptr || !traits_of(*clip).clips || !quantized_.contains(a.name)) return nullptr;
    if (std::ranges::count(plan_.activations, a.group, &ActivationPlan::group) < 2) return nullptr;
    const Value* before = clip->input(0);
    return plan_.find(before->name()) == nullptr ? before->producer() : nullptr;
  }

  static bool fits(const ActivationPlan& a, const Range& range, const Bound& clip) {
    QParams params = choose_qparams(std::span(&range, 1), a.scheme);
    const auto saturates = [&] {
      return saturates_at(params, a.scheme, static_cast<double>(clip.lo),
                          static_cast<double>(clip.hi));
    };
    if (saturates()) return true;
    params = slightly_finer(params);  // as select() makes them
    return saturates();
  }

  bool in_group(const Value* value, const std::string& group) const {
    const ActivationPlan* plan = value != nullptr ? plan_.find(value->name()) : nullptr;
    return plan != nullptr && plan->group == group;
  }

  // Whatever else than moved copies ends up in the group came there by a join.
  std::vector<std::string> copies_of(const ActivationPlan& a) const {
    std::vector<std::string> copies = {a.name};
    for (std::size_t i = 0; i < copies.size(); ++i)
      for (const Use& use : graph_.find(copies[i])->uses())
        if (traits_of(*use.node).moves && use.index == 0)
          for (const Value* moved : use.node->outputs())
            if (in_group(moved, a.group)) copies.push_back(moved->name());
    return copies;
  }

  Range own_range(const UnsharedPart& part) const {
    Range range = plan_.find(part.maker)->range;
    for (const std::string& name : part.values) range = join(range, plan_.find(name)->range);
    return range;
  }

  // By others than Concat and the movers that make the copies.
  bool read_elsewhere(const UnsharedPart& part) const {
    return std::ranges::any_of(part.values, [&](const std::string& name) {
      const Value& value = *graph_.find(name);
      return value.is_output() || std::ranges::any_of(value.uses(), [&](const Use& use) {
               const OpTraits& traits = traits_of(*use.node);
               const bool inside = traits.moves || traits.joins;
               return !inside || !in_group(use.node->output(0), part.joined);
             });
    });
  }

  const Plan& plan_;
  const Graph& graph_;
  const std::unordered_map<std::string, Range>& ranges_;
  std::set<std::string> quantized_, taken_;
};

}  // namespace

QParams slightly_finer(QParams params) {
  for (float& scale : params.scale) scale *= 0.9995f;
  return params;
}

std::vector<UnsharedPart> unshared(const Plan& plan, const Graph& graph,
                                   const std::unordered_map<std::string, Range>& ranges) {
  return Parting(plan, graph, ranges).run();
}

}  // namespace intaglio
