#include "apps/pipeline/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "lib/eval/paired.h"

namespace intaglio {
namespace {

// What is gone by where nothing is said, if it was measured.
constexpr std::array first_choices = {Metric::agreement, Metric::kl, Metric::sqnr};

std::string name_of(const MetricDef& def) {
  return std::string(def.objective.empty() ? def.name : def.objective);
}

// Those of `some` that are not worse, by more than chance, than the one with the best figure.
std::vector<std::size_t> not_worse(const MetricDef& def,
                                   std::span<const Evaluation* const> evaluations,
                                   const std::vector<std::size_t>& some) {
  const auto merit = [&](std::size_t i) { return merit_of(def, *evaluations[i]); };
  const std::size_t leader = *std::ranges::max_element(some, {}, merit);
  const std::vector<double> scores = scores_of(def, *evaluations[leader]);
  std::vector<std::size_t> left;
  for (const std::size_t i : some)
    if (i == leader || merit(i) == merit(leader) ||
        (scores.size() > 1 && !paired(scores, scores_of(def, *evaluations[i])).better()))
      left.push_back(i);
  return left;
}

// Why that one: the figure that no other has, or by what those that share it were told apart. equal:
// how many of the tied are alike in SQNR, too.
std::string reason_of(const Best& best, const std::string& objective,
                      std::span<const Evaluation* const> evaluations, std::size_t equal) {
  const auto merit = [&](const MetricDef& def) {
    return merit_text(def, merit_of(def, *evaluations[best.index]));
  };
  const MetricDef &wanted = *metric_of(objective), &sqnr = def_of(Metric::sqnr);
  if (best.tied.size() < 2)
    return fmt::format("{} {}: {}", superlative_of(wanted), objective, merit(wanted));
  const std::string text =
      fmt::format("{} methods cannot be told apart by {}", best.tied.size(), objective);
  if (equal < 2) return text + fmt::format("; of these the largest SQNR, {}", merit(sqnr));
  if (&wanted == &sqnr || equal == best.tied.size())
    return text + (&wanted == &sqnr ? "" : ", nor by SQNR") + ": the cheapest of them";
  return text + fmt::format(", and {} of them not by SQNR either: the cheapest of those", equal);
}

}  // namespace

std::vector<std::string> objectives() {
  std::vector<std::string> names = {name_of(def_of(first_choices.front()))};
  for (const MetricDef& def : all_metrics())
    if (def.metric != first_choices.front()) names.push_back(name_of(def));
  return names;
}

const MetricDef* metric_of(std::string_view objective) {
  for (const MetricDef& def : all_metrics())
    if (name_of(def) == objective) return &def;
  return nullptr;
}

std::string default_objective(const MetricPlan& plan) {
  for (const Metric metric : first_choices)
    if (plan.has(metric)) return name_of(def_of(metric));
  for (const MetricDef& def : all_metrics())
    if (plan.has(def.metric)) return name_of(def);
  return name_of(def_of(Metric::sqnr));
}

Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective,
             std::span<const double> costs) {
  const MetricDef* wanted = metric_of(objective);
  if (wanted == nullptr) throw Error(Code::internal, fmt::format("no objective '{}'", objective));
  const MetricDef& sqnr = def_of(Metric::sqnr);
  std::vector<std::size_t> all(evaluations.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  Best best;
  best.tied = not_worse(*wanted, evaluations, all);
  const std::vector<std::size_t> equal =
      wanted == &sqnr ? best.tied : not_worse(sqnr, evaluations, best.tied);
  best.index = *std::ranges::min_element(
      equal, {}, [&](std::size_t i) { return costs.empty() ? 0.0 : costs[i]; });
  best.reason = reason_of(best, objective, evaluations, equal.size());
  return best;
}

}  // namespace intaglio
