#include "apps/pipeline/refine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "calibration/refine/channels.h"
#include "calibration/refine/refine_layers.h"
#include "lib/base/nearest.h"

namespace intaglio {
namespace {

constexpr std::size_t rebalance_samples = 128;
constexpr std::size_t bias_samples = 20, rounding_samples = 128;
constexpr std::uint64_t rounding_memory = std::uint64_t{80} << 20;  // codes want many positions

bool has_layers(const Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& n) {
    return n.quantized && (n.bias.has_value() || !n.constants.empty());
  });
}

struct KnownStep {
  std::string_view name;
  bool RefineSteps::*member;
};
constexpr std::array<KnownStep, 5> known_steps = {{{"shift", &RefineSteps::shift},
                                                   {"equalization", &RefineSteps::equalization},
                                                   {"migration", &RefineSteps::migration},
                                                   {"rounding", &RefineSteps::rounding},
                                                   {"bias_correction", &RefineSteps::bias}}};

constexpr std::string_view no_step = "none";

std::vector<std::string_view> all_steps() {
  std::vector<std::string_view> names;
  for (const KnownStep& step : known_steps) names.push_back(step.name);
  return names;
}

}  // namespace

RefineSteps refine_steps(const RefineOptions& options) {
  const bool best = options.effort == Effort::best, balanced = options.effort != Effort::fast;
  if (options.list.empty()) return {balanced, balanced, balanced, best, balanced, best};
  RefineSteps steps;
  for (const std::string& name : options.list) {
    const auto it = std::ranges::find(known_steps, name, &KnownStep::name);
    if (it != known_steps.end()) {
      steps.*it->member = true;
    } else if (name != no_step || options.list.size() > 1) {
      throw Error(Code::usage, fmt::format("--refine: '{}' is no step", name),
                  suggestion(name, all_steps()));
    }
  }
  return steps;
}

RebalanceSummary rebalance(Prepared& prepared, Plan& plan, const RefineSteps& steps,
                           const DataOptions& data, const PreprocessRecipe& recipe,
                           const Redraft& redraft, Context& context) {
  if (!steps.rebalances()) return {};
  return context.phase("rebalance", [&]() -> RebalanceSummary {
    DataOptions all = data;
    all.labels.clear();
    all.shard.reset();
    const SampleSet set(all, all.data, recipe, prepared.model);
    prepared.original = prepared.model.clone();
    Rebalanced done = rebalance(prepared.model, plan, spread(set.samples(), rebalance_samples),
                                {.shift = steps.shift,
                                 .equalization = steps.equalization,
                                 .migration = steps.migration,
                                 .redraft = redraft,
                                 .threads = context.worker_count(),
                                 .progress = context.progress("equalize")});
    if (plan.channels.empty()) prepared.original.reset();
    prepared.left_float = done.left_float;
    return {.done = std::move(done)};
  });
}

RebalanceSummary rebalance_as(Prepared& prepared, Plan& plan, std::vector<ChannelPlan> channels,
                              const std::string& origin, const Redraft& redraft) {
  plan.channels = std::move(channels);
  if (plan.channels.empty()) return {};
  std::set<std::string> carried;
  for (const ChannelGroup& group : carried_groups(prepared.model.graph()))
    for (const GroupValue& member : group.values) carried.insert(member.value->name());
  prepared.original = prepared.model.clone();
  prepared.left_float = take_channels(prepared.model, plan, redraft);
  RebalanceSummary::Given given{.origin = origin};
  for (const ChannelPlan& channel : plan.channels) {
    const bool migrated = channel.copied || carried.contains(channel.name);
    given.shifts += !channel.shift.empty();
    given.scales += !channel.scale.empty();
    given.migrated += migrated;
    given.copies += channel.copied;
  }
  given.scales -= given.migrated;
  return {.given = std::move(given)};
}

RefiningData::RefiningData(DataOptions options, const PreprocessRecipe& recipe,
                           const Model& model) {
  options.labels.clear();
  set_.emplace(options, options.data, recipe, model);
}

bool wants_data(const Plan& plan, const RefineSteps& steps) {
  return (steps.bias || steps.rounding) && has_layers(plan);
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineSteps& steps,
               const Samples* samples, Context& context) {
  Refined refined{prepared.model.clone(), {}};
  if (samples != nullptr && wants_data(plan, steps)) {
    RefinedLayers done = context.phase("refine", [&] {
      RefineLayersOptions options{.rounding = steps.rounding, .bias = steps.bias};
      options.pair.most_samples = steps.rounding ? rounding_samples : bias_samples;
      if (steps.rounding) options.pair.memory = rounding_memory;
      options.pair.threads = context.worker_count();
      options.pair.progress = context.progress("refine");
      return refine_layers(prepared.model, plan, *samples, options);
    });
    refined.summary.samples = done.samples;
    if (steps.rounding) refined.summary.rounding = std::move(done.rounding);
    if (steps.bias) refined.summary.bias = std::move(done.bias);
  }
  apply_codes(refined.model, plan);
  apply_shifts(refined.model, plan);
  return refined;
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineSteps& steps,
               const DataOptions& data, const PreprocessRecipe& recipe, Context& context,
               std::vector<std::string>& warnings) {
  if (!wants_data(plan, steps)) return refine(prepared, plan, steps, nullptr, context);
  if (data.data.empty()) {
    const std::string missed = fmt::format(
        "{}: that needs --data (or say --effort fast)",
        steps.rounding ? "weights and biases were not refined" : "biases were not corrected");
    if (std::ranges::find(warnings, missed) == warnings.end()) warnings.push_back(missed);
    return refine(prepared, plan, steps, nullptr, context);
  }
  const RefiningData samples(data, recipe, prepared.model);
  const Samples all = samples.samples();
  return refine(prepared, plan, steps, &all, context);
}

std::vector<std::string_view> step_names(const RefineSteps& steps) {
  std::vector<std::string_view> names;
  for (const KnownStep& step : known_steps)
    if (steps.*step.member) names.push_back(step.name);
  return names;
}

}  // namespace intaglio
