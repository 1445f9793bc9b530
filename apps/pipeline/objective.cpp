#include "apps/pipeline/objective.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace intaglio {
namespace {

// What is gone by where nothing is said, if it was measured.
constexpr std::array first_choices = {Metric::agreement, Metric::sqnr};

std::string name_of(const MetricDef& def) {
  return std::string(def.objective.empty() ? def.name : def.objective);
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

Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective) {
  Best best;
  const MetricDef* wanted = metric_of(objective);
  if (wanted == nullptr) throw Error(Code::internal, fmt::format("no objective '{}'", objective));
  const MetricDef& sqnr = def_of(Metric::sqnr);
  const auto key = [&](std::size_t i) {
    return std::pair(merit_of(*wanted, *evaluations[i]), merit_of(sqnr, *evaluations[i]));
  };
  for (std::size_t i = 1; i < evaluations.size(); ++i)
    if (key(i) > key(best.index)) best.index = i;
  std::size_t equals = 0;
  for (std::size_t i = 0; i < evaluations.size(); ++i)
    equals += i != best.index && key(i).first == key(best.index).first;
  best.reason = fmt::format("{} {}: {}", superlative_of(*wanted), objective,
                            merit_text(*wanted, key(best.index).first));
  if (equals > 0)
    best.reason += fmt::format(", as {} other(s); of these the largest SQNR, {}", equals,
                               merit_text(sqnr, key(best.index).second));
  return best;
}

}  // namespace intaglio
