#include "apps/refining.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/choice_option.h"
#include "calibration/refine/channels.h"
#include "calibration/refine/rebalance.h"
#include "calibration/refine/side_by_side.h"
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

std::vector<std::string_view> step_names() {
  std::vector<std::string_view> names;
  for (const KnownStep& step : known_steps) names.push_back(step.name);
  return names;
}

Json not_rebalanced() {
  return {{"shift", nullptr},
          {"equalization", nullptr},
          {"migration", nullptr},
          {"undone", Json::array()}};
}

Json shift_json(const Rebalanced& done) {
  if (done.shifts.channels.empty()) return {};
  return {{"groups", done.shifts.groups},
          {"values", done.shifts.channels.size()},
          {"range_ratio", done.shifts.range_ratio},
          {"deviation", done.shift_deviation}};
}

Json group_json(const GroupEqualization& g) {
  return {{"value", g.value},
          {"channels", g.channels},
          {"alpha", g.alpha},
          {"noise_ratio", g.noise_ratio},
          {"gates", g.gates}};
}

Json equalization_json(const Rebalanced& done) {
  if (done.equalization.groups.empty()) return {};
  Json groups = Json::array();
  for (const GroupEqualization& g : done.equalization.groups) groups.push_back(group_json(g));
  return {{"values", done.equalization.channels.size()},
          {"deviation", done.equalization_deviation},
          {"groups", groups}};
}

Json migration_json(const Rebalanced& done) {
  if (done.migration.groups.empty()) return {};
  Json groups = Json::array();
  for (const GroupEqualization& g : done.migration.groups) {
    groups.push_back(group_json(g));
    groups.back()["copied"] = done.migration.copied.contains(g.value);
  }
  return {{"values", done.migration.channels.size()},
          {"copies", done.migration.copied.size()},
          {"deviation", done.migration_deviation},
          {"groups", groups}};
}

}  // namespace

void add_refine_options(CLI::App& command, RefineOptions& options) {
  add_choice(command, "--effort", options.effort, {"fast", "balanced", "best"},
             "How much is done for accuracy: fast chooses ranges; balanced equalizes channels, "
             "migrates them into weights and corrects biases; best rounds weights against each "
             "other's errors too");
  command
      .add_option("--refine", options.list,
                  "The steps to take in place of those of the effort: none, or some of shift, "
                  "equalization, migration, rounding, bias_correction")
      ->delimiter(',')
      ->type_name("LIST");
}

RefineSteps refine_steps(const RefineOptions& options) {
  const bool best = options.effort == "best", balanced = best || options.effort == "balanced";
  if (options.list.empty()) return {balanced, balanced, balanced, best, balanced, best};
  RefineSteps steps;
  for (const std::string& name : options.list) {
    const auto it = std::ranges::find(known_steps, name, &KnownStep::name);
    if (it != known_steps.end()) {
      steps.*it->member = true;
    } else if (name != "none" || options.list.size() > 1) {
      throw Error(Code::usage, fmt::format("--refine: '{}' is no step", name),
                  suggestion(name, step_names()));
    }
  }
  return steps;
}

Json rebalance(Prepared& prepared, Plan& plan, const RefineSteps& steps, const DataOptions& data,
               const PreprocessRecipe& recipe, const Redraft& redraft, Context& context) {
  if (!steps.shift && !steps.equalization && !steps.migration) return not_rebalanced();
  return context.phase("rebalance", [&]() -> Json {
    DataOptions all = data;
    all.labels.clear();
    all.shard.reset();
    const SampleSet set(all, all.data, recipe, prepared.model.graph());
    prepared.original = prepared.model.clone();
    const Rebalanced done =
        rebalance(prepared.model, plan, spread(set.samples(), rebalance_samples),
                  {.shift = steps.shift,
                   .equalization = steps.equalization,
                   .migration = steps.migration,
                   .redraft = redraft,
                   .threads = context.worker_count()});
    if (plan.channels.empty()) prepared.original.reset();
    prepared.left_float = done.left_float;
    return {{"shift", shift_json(done)},
            {"equalization", equalization_json(done)},
            {"migration", migration_json(done)},
            {"undone", done.undone}};
  });
}

Json rebalance_as(Prepared& prepared, Plan& plan, std::vector<ChannelPlan> channels,
                  const std::string& origin, const Redraft& redraft) {
  plan.channels = std::move(channels);
  if (plan.channels.empty()) return not_rebalanced();
  std::set<std::string> carried;
  for (const ChannelGroup& group : carried_groups(prepared.model.graph()))
    for (const GroupValue& member : group.values) carried.insert(member.value->name());
  prepared.original = prepared.model.clone();
  prepared.left_float = take_channels(prepared.model, plan, redraft);
  const auto count = [&](auto belongs) { return std::ranges::count_if(plan.channels, belongs); };
  const auto migrated = [&](const ChannelPlan& c) { return c.copied || carried.contains(c.name); };
  const auto shifts = count([](const ChannelPlan& c) { return !c.shift.empty(); });
  const auto scales = count([](const ChannelPlan& c) { return !c.scale.empty(); });
  return {{"shift", {{"values", shifts}, {"from", origin}}},
          {"equalization", {{"values", scales - count(migrated)}, {"from", origin}}},
          {"migration",
           {{"values", count(migrated)},
            {"copies", count([](const ChannelPlan& c) { return c.copied; })},
            {"from", origin}}},
          {"undone", Json::array()}};
}

RefiningData::RefiningData(DataOptions options, const PreprocessRecipe& recipe,
                           const Graph& graph) {
  options.labels.clear();
  set_.emplace(options, options.data, recipe, graph);
}

bool wants_data(const Plan& plan, const RefineSteps& steps) {
  return (steps.bias || steps.rounding) && has_layers(plan);
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineSteps& steps,
               const Samples* samples, Context& context) {
  Refined refined{prepared.model.clone(),
                  {{"rounding", nullptr}, {"bias_correction", nullptr}, {"compared", nullptr}}};
  if (samples != nullptr && wants_data(plan, steps)) {
    const SideBySide done = context.phase("refine", [&] {
      SideBySideOptions options{.rounding = steps.rounding, .bias = steps.bias};
      options.pair.most_samples = steps.rounding ? rounding_samples : bias_samples;
      if (steps.rounding) options.pair.memory = rounding_memory;
      options.pair.threads = context.worker_count();
      options.pair.progress = context.progress("refine");
      return refine_side_by_side(prepared.model, plan, *samples, options);
    });
    if (steps.rounding)
      refined.json["rounding"] = {{"samples", done.samples},
                                  {"layers", done.rounding.layers},
                                  {"error_ratio", done.rounding.error_ratio},
                                  {"left_out", done.rounding.left_out}};
    if (steps.bias)
      refined.json["bias_correction"] = {{"samples", done.samples},
                                         {"layers", done.bias.corrected},
                                         {"left_out", done.bias.left_out}};
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
  const RefiningData samples(data, recipe, prepared.model.graph());
  const Samples all = samples.samples();
  return refine(prepared, plan, steps, &all, context);
}

Json refine_json(const RefineOptions& options, const RefineSteps& steps, const Json& rebalanced,
                 const Json& refined) {
  Json names = Json::array();
  for (const KnownStep& step : known_steps)
    if (steps.*step.member) names.push_back(step.name);
  Json json = {{"effort", options.effort}, {"steps", names}};
  json.update(rebalanced.is_null() ? not_rebalanced() : rebalanced);
  json.update(refined);
  return json;
}

}  // namespace intaglio
