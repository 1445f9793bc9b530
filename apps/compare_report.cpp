#include "apps/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/evaluation_text.h"

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

double least_sqnr(const Evaluation& e) {
  return least(e, infinite, [](const OutputDeviation& o) { return o.deviation.sqnr_db(); });
}
double least_cosine(const Evaluation& e) {
  return least(e, 1, [](const OutputDeviation& o) { return o.deviation.cosine(); });
}
double least_psnr(const Evaluation& e) {
  return least(e, infinite, [](const OutputDeviation& o) { return o.psnr_db; });
}

std::string sqnr_text(double sqnr) {
  return std::isfinite(sqnr) ? fmt::format("{:.2f}", sqnr) : "exact";
}

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
    {"sqnr", Metric::sqnr, "largest", least_sqnr, [](double v) { return sqnr_text(v) + " dB"; }},
    {"cosine", Metric::cosine, "largest", least_cosine,
     [](double v) { return fmt::format("{:.6f}", v); }},
    {"psnr", Metric::psnr, "largest", least_psnr, [](double v) { return sqnr_text(v) + " dB"; }},
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

Best best_of(const Comparison& c) {
  Best best;
  std::size_t equals = 0;
  const Objective& objective = find(c.objective);
  const auto key = [&](std::size_t i) {
    return std::pair(objective.figure(c.methods[i].measured.evaluation),
                     least_sqnr(c.methods[i].measured.evaluation));
  };
  for (std::size_t i = 1; i < c.methods.size(); ++i)
    if (key(i) > key(best.index)) best.index = i;
  for (std::size_t i = 0; i < c.methods.size(); ++i)
    equals += i != best.index && key(i).first == key(best.index).first;
  best.reason = fmt::format("{} {}: {}", objective.superlative, c.objective,
                            objective.text(key(best.index).first));
  if (equals > 0)
    best.reason += fmt::format(", as {} other(s); of these the largest SQNR, {} dB", equals,
                               sqnr_text(key(best.index).second));
  return best;
}

Json to_json(const Comparison& c, const Best& best, const Observations& observations) {
  const Evaluation& first = c.methods.front().measured.evaluation;
  Json json = {{"schema", "intaglio.compare/1"},
               {"command", "compare"},
               {"tool", tool_json()},
               {"model", c.prepared.source},
               {"data", c.data},
               {"evaluation_data", c.evaluation_data},
               {"target", c.target.name},
               {"format", c.format},
               {"objective", c.objective},
               {"nodes", nodes_json(c.methods.front().pressed.plan, c.prepared.folded,
                                    c.methods.front().pressed.written.in_float)}};
  json["reference"] = {{"samples", first.samples},
                       {"top1", first.reference ? Json(first.reference->top1) : Json()},
                       {"top5", first.reference ? Json(first.reference->top5) : Json()}};
  json["methods"] = Json::array();
  for (const Compared& m : c.methods) {
    Json entry = {{"name", m.method.name}, {"text", m.method.text()}};
    entry.update(m.method.parameters);
    entry["output_bytes"] = m.bytes;
    entry["evaluation"] = evaluation_json(m.measured.evaluation);
    entry["values"] = values_json(c.prepared.model.graph(), m.pressed.plan, observations,
                                  &m.measured.evaluation, c.prepared.folded);
    json["methods"].push_back(std::move(entry));
  }
  const Compared& chosen = c.methods[best.index];
  json["best"] = {{"method", chosen.method.text()}, {"index", best.index}, {"reason", best.reason}};
  return json;
}

namespace {

// A column of the table: of the float model, and of one that was made of it.
struct TableColumn {
  const char* head;
  bool shown;
  std::string (*reference)(const Evaluation& e);
  std::string (*model)(const Evaluation& e);
};

std::string top(const std::optional<Accuracy>& a, double Accuracy::*which) {
  return a ? percent((*a).*which) : "-";
}

std::vector<TableColumn> columns_of(const MetricPlan& plan) {
  const auto nothing = [](const Evaluation&) { return std::string(); };
  return {
      {"top-1 %", plan.has(Metric::topk),
       [](const Evaluation& e) { return top(e.reference, &Accuracy::top1); },
       [](const Evaluation& e) { return top(e.accuracy, &Accuracy::top1); }},
      {"top-5 %", plan.has(Metric::topk),
       [](const Evaluation& e) { return top(e.reference, &Accuracy::top5); },
       [](const Evaluation& e) { return top(e.accuracy, &Accuracy::top5); }},
      {"agreement %", plan.has(Metric::agreement),
       [](const Evaluation&) { return std::string("100.00"); },
       [](const Evaluation& e) { return e.agreement ? percent(*e.agreement) : "-"; }},
      {"SQNR dB", plan.has(Metric::sqnr), nothing,
       [](const Evaluation& e) { return sqnr_text(least_sqnr(e)); }},
      {"cosine", plan.has(Metric::cosine), nothing,
       [](const Evaluation& e) { return fmt::format("{:.6f}", least_cosine(e)); }},
      {"PSNR dB", plan.has(Metric::psnr), nothing,
       [](const Evaluation& e) { return sqnr_text(least_psnr(e)); }},
      {"boxes F1", plan.has(Metric::boxes), nothing,
       [](const Evaluation& e) { return e.boxes ? f1_text(*e.boxes) : "-"; }},
      {"character error %", plan.has(Metric::ctc), nothing,
       [](const Evaluation& e) { return e.strings ? character_error_text(*e.strings) : "-"; }},
  };
}

}  // namespace

void print_comparison(const Comparison& c, const Best& best) {
  const Evaluation& first = c.methods.front().measured.evaluation;
  std::vector<std::vector<std::string>> rows = {{"method"}, {"FP32"}};
  for (const Compared& m : c.methods) rows.push_back({m.method.text()});
  for (const TableColumn& column : columns_of(first.plan)) {
    if (!column.shown) continue;
    rows[0].emplace_back(column.head);
    rows[1].push_back(column.reference(first));
    for (std::size_t i = 0; i < c.methods.size(); ++i)
      rows[i + 2].push_back(column.model(c.methods[i].measured.evaluation));
  }
  rows[0].emplace_back("bytes");
  rows[1].push_back(std::to_string(c.prepared.source["bytes"].get<std::uint64_t>()));
  for (std::size_t i = 0; i < c.methods.size(); ++i)
    rows[i + 2].push_back(std::to_string(c.methods[i].bytes));
  print_table(rows);
  fmt::print("\nbest: {} ({}) over {} samples\n", c.methods[best.index].method.text(), best.reason,
             first.samples);
}

}  // namespace intaglio
