#include "calibration/refine/rebalance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "calibration/refine/channels.h"
#include "lib/base/parallel.h"

namespace intaglio {
namespace {

constexpr std::size_t verified_samples = 4;

using Outputs = std::vector<std::vector<Tensor>>;  // by sample

Outputs outputs_of(const Model& model, const Samples& samples, std::size_t threads) {
  const Executor executor(model.graph(), CompileOptions::nothing_observed());
  Outputs outputs(std::min(samples.count, verified_samples));
  parallel_for(outputs.size(), threads, [&](std::size_t, std::size_t i) {
    if (const auto feeds = samples.load(i)) outputs[i] = executor.run(*feeds);
  });
  return outputs;
}

// The largest difference, relative to the largest value of its tensor, as far as both are finite;
// infinite where one alone is.
double deviation(const Tensor& a, const Tensor& b) {
  if (a.dtype() != DType::f32) return 0;
  double most = 0, largest = 0;
  const auto x = a.data<float>(), y = b.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      const bool same = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]));
      if (!same) return std::numeric_limits<double>::infinity();
      continue;
    }
    most = std::max(most, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
    largest = std::max(largest, std::abs(static_cast<double>(x[i])));
  }
  return largest > 0 ? most / largest : most;
}

double deviation(const Outputs& a, const Outputs& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t o = 0; o < a[i].size(); ++o)
      most = std::max(most, deviation(a[i][o], b[i][o]));
  return most;
}

class Rebalancing {
 public:
  Rebalancing(Model& model, Plan& plan, const Samples& samples, const RebalanceOptions& options)
      : model_(model), plan_(plan), samples_(samples), options_(options) {}

  Rebalanced run() {
    if (options_.shift) shiftable_ = shiftable_groups(model_.graph());
    if (options_.equalization) scalable_ = scalable_groups(model_.graph());
    if (!options_.redraft)
      std::erase_if(scalable_, [](const ChannelGroup& g) { return !g.gates.empty(); });
    if (options_.migration && options_.redraft) {
      carried_ = carried_groups(model_.graph());
      candidates_ = copy_candidates(model_.graph(), plan_);
    }
    if (shiftable_.empty() && scalable_.empty() && carried_.empty() && candidates_.empty())
      return std::move(result_);
    measure();
    before_ = outputs_of(model_, samples_, options_.threads);
    if (!shiftable_.empty()) shift();
    if (!scalable_.empty()) scale();
    migrate();
    result_.left_float = take_channels(model_, plan_, options_.redraft);
    return std::move(result_);
  }

 private:
  void measure() {
    std::map<std::string, int> axes;
    const auto want = [&](const GroupValue& v) { axes[v.value->name()] = v.axis; };
    for (const ChannelGroup& group : shiftable_)
      for (const GroupValue& member : group.values) want(member);
    for (const auto* groups : {&scalable_, &carried_, &candidates_})
      for (const ChannelGroup& group : *groups)
        for (const GroupValue& member : group.values) {
          const bool clipped =
              std::any_of(group.clips.begin(), group.clips.end(),
                          [&](const Node* clip) { return clip->output(0) == member.value; });
          if (clipped || plan_.find(member.value->name()) != nullptr) want(member);
        }
    CompileOptions compiling;
    compiling.observed = [&](const Value& value) { return axes.contains(value.name()); };
    const Executor executor(model_.graph(), compiling);
    measured_ = measure_channels(executor, axes, samples_, options_.threads, options_.progress);
  }

  void shift() {
    result_.shifts = choose_shifts(shiftable_, measured_);
    if (!accept("shift", result_.shifts.channels, result_.shift_deviation)) {
      result_.shifts = {};
      return;
    }
    for (const ChannelPlan& plan : result_.shifts.channels)
      measured_.at(plan.name).shift_by(plan.shift);
  }

  void scale() {
    result_.equalization = choose_scales(scalable_, measured_, plan_);
    if (!accept("equalization", result_.equalization.channels, result_.equalization_deviation))
      result_.equalization = {};
  }

  void migrate() {
    if (carried_.empty() && candidates_.empty()) return;
    result_.migration =
        choose_migration(model_, carried_, candidates_, measured_, plan_, options_.redraft);
    if (!accept("migration", result_.migration.channels, result_.migration_deviation))
      result_.migration = {};
  }

  // Takes the step into the plan, unless the float network would compute something else with it.
  bool accept(const char* step, const std::vector<ChannelPlan>& channels, double& off) {
    if (channels.empty()) return true;
    std::vector<ChannelPlan> all = plan_.channels;
    for (const ChannelPlan& one : channels) merge(all, one);
    Model changed = model_.clone();
    apply_channels(changed, all);
    off = deviation(before_, outputs_of(changed, samples_, options_.threads));
    if (!(off <= allowed_deviation)) {
      result_.undone.push_back(fmt::format(
          "{}: the float outputs would be off by {:.2g} of their largest value", step, off));
      return false;
    }
    plan_.channels = std::move(all);
    return true;
  }

  static void merge(std::vector<ChannelPlan>& all, const ChannelPlan& one) {
    const auto it = std::find_if(all.begin(), all.end(),
                                 [&](const ChannelPlan& c) { return c.name == one.name; });
    ChannelPlan& plan =
        it == all.end() ? all.emplace_back(ChannelPlan{one.name, {}, {}, one.copied}) : *it;
    if (!one.shift.empty()) plan.shift = one.shift;
    if (!one.scale.empty()) plan.scale = one.scale;
  }

  Model& model_;
  Plan& plan_;
  const Samples& samples_;
  const RebalanceOptions& options_;
  std::vector<ChannelGroup> shiftable_, scalable_, carried_, candidates_;
  ChannelMeasurements measured_;
  Outputs before_;
  Rebalanced result_;
};

}  // namespace

bool rebalances(const Graph& graph) {
  return !scalable_groups(graph).empty() || !shiftable_groups(graph).empty() ||
         !carried_groups(graph).empty();
}

std::map<std::string, std::string> take_channels(Model& model, Plan& plan, const Redraft& redraft) {
  const std::size_t nodes = model.graph().node_count();
  std::map<std::string, std::string> left_float = apply_channels(model, plan.channels);
  const bool changed = !left_float.empty() || model.graph().node_count() != nodes;
  if (!changed || !redraft) return left_float;
  Plan draft = redraft(model.graph(), left_float);
  draft.model_hash = std::move(plan.model_hash);
  draft.channels = std::move(plan.channels);
  plan = std::move(draft);
  return left_float;
}

Rebalanced rebalance(Model& model, Plan& plan, const Samples& samples,
                     const RebalanceOptions& options) {
  return Rebalancing(model, plan, samples, options).run();
}

}  // namespace intaglio
