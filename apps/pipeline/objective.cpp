#include "apps/pipeline/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/eval/figures.h"

namespace intaglio {
namespace {

// Of the output that fares worst; `exact` when all are.
template <typename Figure>
double least(const Evaluation& e, double exact, const Figure& figure) {
  double result = exact;
  for (const OutputDeviation& o : e.outputs)
    if (const auto value = figure(o)) result = std::min(result, *value);
  return result;
}

constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

double least_sqnr(const Evaluation& e) {
  return least(e, infinite, [](const OutputDeviation& o) { return o.deviation.sqnr_db(); });
}
double least_cosine(const Evaluation& e) {
  return least(e, 1, [](const OutputDeviation& o) { return o.deviation.cosine(); });
}
double least_psnr(const Evaluation& e) {
  return least(e, infinite, [](const OutputDeviation& o) { return o.psnr_db; });
}

std::string least_text(double decibels) {
  return std::isfinite(decibels) ? fmt::format("{:.2f}", decibels) : "exact";
}

namespace {

struct Objective {
  const char* name;
  Metric metric;
  const char* superlative;
  double (*figure)(const Evaluation& e);  // larger is better
  std::string (*text)(double figure);
};

const Objective known[] = {
    {"agreement", Metric::agreement, "largest",
     [](const Evaluation& e) { return e.agreement.value_or(0); },
     [](double v) { return percent(v) + " %"; }},
    {"top1", Metric::topk, "largest",
     [](const Evaluation& e) { return e.accuracy ? e.accuracy->top1 : 0; },
     [](double v) { return percent(v) + " %"; }},
    {"sqnr", Metric::sqnr, "largest", least_sqnr, [](double v) { return least_text(v) + " dB"; }},
    {"cosine", Metric::cosine, "largest", least_cosine,
     [](double v) { return fmt::format("{:.6f}", v); }},
    {"psnr", Metric::psnr, "largest", least_psnr, [](double v) { return least_text(v) + " dB"; }},
    {"boxes", Metric::boxes, "largest F1 of",
     [](const Evaluation& e) { return e.boxes ? e.boxes->f1().value_or(0) : 0; },
     [](double v) { return fmt::format("{:.4f}", v); }},
    {"ctc", Metric::ctc, "smallest character error of",
     [](const Evaluation& e) {
       return e.strings ? -e.strings->character_error().value_or(0) : -infinite;
     },
     [](double v) { return percent(-v) + " %"; }},
};

const Objective& find(std::string_view name) {
  for (const Objective& objective : known)
    if (objective.name == name) return objective;
  throw Error(Code::internal, fmt::format("no objective '{}'", name));
}

}  // namespace

std::vector<std::string> objectives() {
  std::vector<std::string> names;
  for (const Objective& objective : known) names.emplace_back(objective.name);
  return names;
}

std::optional<Metric> metric_of(std::string_view objective) {
  if (objective.empty()) return std::nullopt;
  return find(objective).metric;
}

std::string default_objective(const MetricPlan& plan) {
  for (const char* name : {"agreement", "sqnr"})
    if (plan.has(find(name).metric)) return name;
  for (const Objective& objective : known)
    if (plan.has(objective.metric)) return objective.name;
  return "sqnr";
}

Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective) {
  Best best;
  const Objective& wanted = find(objective);
  const auto key = [&](std::size_t i) {
    return std::pair(wanted.figure(*evaluations[i]), least_sqnr(*evaluations[i]));
  };
  for (std::size_t i = 1; i < evaluations.size(); ++i)
    if (key(i) > key(best.index)) best.index = i;
  std::size_t equals = 0;
  for (std::size_t i = 0; i < evaluations.size(); ++i)
    equals += i != best.index && key(i).first == key(best.index).first;
  best.reason =
      fmt::format("{} {}: {}", wanted.superlative, objective, wanted.text(key(best.index).first));
  if (equals > 0)
    best.reason += fmt::format(", as {} other(s); of these the largest SQNR, {} dB", equals,
                               least_text(key(best.index).second));
  return best;
}

}  // namespace intaglio
