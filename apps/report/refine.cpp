#include "apps/report/refine.h"

#include "apps/report/report.h"

namespace intaglio {
namespace {

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

Json given_json(const RebalanceSummary::Given& given) {
  return {
      {"shift", {{"values", given.shifts}, {"from", given.origin}}},
      {"equalization", {{"values", given.scales}, {"from", given.origin}}},
      {"migration", {{"values", given.migrated}, {"copies", given.copies}, {"from", given.origin}}},
      {"undone", Json::array()}};
}

Json rebalance_json(const RebalanceSummary& summary) {
  if (summary.given) return given_json(*summary.given);
  const Rebalanced none;
  const Rebalanced& done = summary.done ? *summary.done : none;
  return {{"shift", shift_json(done)},
          {"equalization", equalization_json(done)},
          {"migration", migration_json(done)},
          {"undone", done.undone}};
}

Json compared_json(const EffortComparison& compared) {
  return {{"taken", word_of(compared.best ? Effort::best : Effort::balanced)},
          {"held_out", compared.held_out},
          {"best_db", number(compared.best_db)},
          {"balanced_db", number(compared.balanced_db)}};
}

}  // namespace

Json groups_json(const GroupSummary* groups, const Scheme& weights) {
  if (groups == nullptr) return {};
  return {{"type", name_of(weights.type)},
          {"block_size", weights.group},
          {"rounding", word_of(groups->rounding)},
          {"weighted", groups->weighted},
          {"samples", groups->samples},
          {"weights", groups->weights},
          {"elements", groups->elements},
          {"unweighted", groups->unweighted},
          {"sqnr_db", number(groups->sqnr_db())}};
}

Json refine_json(const RefineOptions& options, const RefineSteps& steps,
                 const RebalanceSummary& rebalanced, const RefineSummary& refined) {
  Json json = {{"effort", word_of(options.effort)}, {"steps", step_names(steps)}};
  json.update(rebalance_json(rebalanced));
  json["rounding"] = nullptr;
  json["bias_correction"] = nullptr;
  if (refined.rounding)
    json["rounding"] = {{"samples", refined.samples},
                        {"layers", refined.rounding->layers},
                        {"error_ratio", refined.rounding->error_ratio},
                        {"left_out", refined.rounding->left_out}};
  if (refined.bias)
    json["bias_correction"] = {{"samples", refined.samples},
                               {"layers", refined.bias->corrected},
                               {"left_out", refined.bias->left_out}};
  json["compared"] = refined.compared ? compared_json(*refined.compared) : Json();
  return json;
}

}  // namespace intaglio
