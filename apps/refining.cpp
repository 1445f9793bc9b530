#include "apps/refining.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "calibration/refine/bias_correction.h"
#include "calibration/refine/channels.h"
#include "calibration/refine/rebalance.h"
#include "lib/base/nearest.h"

namespace intaglio {
namespace {

constexpr std::size_t rebalance_samples = 128;
constexpr std::size_t most_samples = 20;
constexpr std::uint64_t memory_budget = std::uint64_t{80} << 20;

bool has_biases(const Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [](const NodePlan& n) { return n.quantized && n.bias.has_value(); });
}

std::vector<Tensor> any_sample(const Samples& source) {
  for (std::size_t i = 0; i < source.count; ++i)
    if (auto feeds = source.load(i)) return std::move(*feeds);
  throw Error(Code::data, "no sample could be loaded", "Check --data and --preprocess.");
}

constexpr std::array<std::string_view, 3> known_steps = {"shift", "equalization",
                                                         "bias_correction"};

Json not_rebalanced() {
  return {{"shift", nullptr}, {"equalization", nullptr}, {"undone", Json::array()}};
}

Json shift_json(const Rebalanced& done) {
  if (done.shifts.channels.empty()) return {};
  return {{"groups", done.shifts.groups},
          {"values", done.shifts.channels.size()},
          {"range_ratio", done.shifts.range_ratio},
          {"deviation", done.shift_deviation}};
}

Json equalization_json(const Rebalanced& done) {
  if (done.equalization.groups.empty()) return {};
  Json groups = Json::array();
  for (const GroupEqualization& g : done.equalization.groups)
    groups.push_back({{"value", g.value},
                      {"channels", g.channels},
                      {"alpha", g.alpha},
                      {"noise_ratio", g.noise_ratio}});
  return {{"values", done.equalization.channels.size()},
          {"deviation", done.equalization_deviation},
          {"groups", groups}};
}

}  // namespace

void add_refine_options(CLI::App& command, RefineOptions& options) {
  command
      .add_option("--effort", options.effort,
                  "How much is done for accuracy: fast chooses ranges; balanced equalizes channels "
                  "and corrects biases")
      ->check(CLI::IsMember({"fast", "balanced"}))
      ->type_name("fast|balanced")
      ->capture_default_str();
  command
      .add_option("--refine", options.list,
                  "The steps to take in place of those of the effort: none, or some of shift, "
                  "equalization, bias_correction")
      ->delimiter(',')
      ->type_name("LIST");
}

RefineSteps refine_steps(const RefineOptions& options) {
  if (options.list.empty())
    return options.effort == "fast" ? RefineSteps{} : RefineSteps{true, true, true};
  RefineSteps steps;
  for (const std::string& name : options.list) {
    if (name == "shift") {
      steps.shift = true;
    } else if (name == "equalization") {
      steps.equalization = true;
    } else if (name == "bias_correction") {
      steps.bias = true;
    } else if (name != "none" || options.list.size() > 1) {
      throw Error(Code::usage, fmt::format("--refine: '{}' is no step", name),
                  suggestion(name, known_steps));
    }
  }
  return steps;
}

Json rebalance(Prepared& prepared, Plan& plan, const RefineSteps& steps, const DataOptions& data,
               const PreprocessRecipe& recipe, Context& context) {
  if (!steps.shift && !steps.equalization) return not_rebalanced();
  return context.phase("rebalance", [&]() -> Json {
    DataOptions all = data;
    all.labels.clear();
    all.shard.reset();
    const SampleSet set(all, all.data, recipe, prepared.model.graph());
    const Samples samples = spread(set.samples(), rebalance_samples);
    prepared.original = prepared.model.clone();
    const Rebalanced done = rebalance(prepared.model, plan, {samples.count, samples.load},
                                      {.shift = steps.shift,
                                       .equalization = steps.equalization,
                                       .threads = context.worker_count()});
    if (plan.channels.empty()) prepared.original.reset();
    return {{"shift", shift_json(done)},
            {"equalization", equalization_json(done)},
            {"undone", done.undone}};
  });
}

Json rebalance_as(Prepared& prepared, Plan& plan, std::vector<ChannelPlan> channels,
                  const std::string& origin) {
  plan.channels = std::move(channels);
  if (plan.channels.empty()) return not_rebalanced();
  prepared.original = prepared.model.clone();
  apply_channels(prepared.model, plan.channels);
  const auto count = [&](auto member) {
    return std::count_if(plan.channels.begin(), plan.channels.end(),
                         [&](const ChannelPlan& c) { return !(c.*member).empty(); });
  };
  return {{"shift", {{"values", count(&ChannelPlan::shift)}, {"from", origin}}},
          {"equalization", {{"values", count(&ChannelPlan::scale)}, {"from", origin}}},
          {"undone", Json::array()}};
}

RefineSamples load_refine_samples(const Prepared& prepared, const Plan& plan,
                                  const RefineSteps& steps, const DataOptions& data,
                                  const PreprocessRecipe& recipe, Context& context,
                                  std::vector<std::string>& warnings) {
  if (!steps.bias || !has_biases(plan)) return {};
  if (data.data.empty()) {
    warnings.emplace_back("biases were not corrected: that needs --data (or say --effort fast)");
    return {};
  }
  return context.phase("refine", [&] {
    DataOptions unlabelled = data;
    unlabelled.labels.clear();
    const SampleSet set(unlabelled, data.data, recipe, prepared.model.graph());
    const Samples source = set.samples();
    const std::size_t fitting = samples_that_fit(prepared.model, any_sample(source), memory_budget);
    const Samples taken = spread(source, std::min(most_samples, fitting));
    RefineSamples samples;
    for (std::size_t i = 0; i < taken.count; ++i)
      if (auto feeds = taken.load(i)) samples.push_back(std::move(*feeds));
    return samples;
  });
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineSamples& samples,
               Context& context) {
  Refined refined{prepared.model.clone(), {{"bias_correction", nullptr}}};
  if (!samples.empty()) {
    const BiasCorrection done = context.phase("refine", [&] {
      return correct_biases(prepared.model, plan, samples,
                            {.masked = true, .threads = context.worker_count()});
    });
    refined.json["bias_correction"] = {
        {"samples", done.samples}, {"layers", done.corrected}, {"left_out", done.left_out}};
  }
  apply_shifts(refined.model, plan);
  return refined;
}

Json refine_json(const RefineOptions& options, const RefineSteps& steps, const Json& rebalanced,
                 const Refined& refined) {
  Json names = Json::array();
  if (steps.shift) names.push_back("shift");
  if (steps.equalization) names.push_back("equalization");
  if (steps.bias) names.push_back("bias_correction");
  Json json = {{"effort", options.effort}, {"steps", names}};
  json.update(rebalanced.is_null() ? not_rebalanced() : rebalanced);
  json.update(refined.json);
  return json;
}

}  // namespace intaglio
