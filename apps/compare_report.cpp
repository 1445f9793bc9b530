#include "apps/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace intaglio {
namespace {

// Of the output that fares worst; infinite when all are exact.
double least_sqnr(const Evaluation& e) {
  double least = std::numeric_limits<double>::infinity();
  for (const OutputDeviation& o : e.outputs)
    if (const auto sqnr = o.deviation.sqnr_db()) least = std::min(least, *sqnr);
  return least;
}

double figure(const Comparison& comparison, const Compared& compared) {
  const Evaluation& e = compared.measured.evaluation;
  if (comparison.objective == "top1") return e.accuracy ? e.accuracy->top1 : 0;
  if (comparison.objective == "sqnr") return least_sqnr(e);
  return e.agreement.value_or(0);
}

std::string sqnr_text(double sqnr) {
  return std::isfinite(sqnr) ? fmt::format("{:.2f}", sqnr) : "exact";
}

std::string figure_text(const Comparison& comparison, double value) {
  return comparison.objective == "sqnr" ? sqnr_text(value) + " dB" : percent(value) + " %";
}

}  // namespace

Best best_of(const Comparison& c) {
  Best best;
  std::size_t equals = 0;
  const auto key = [&](std::size_t i) {
    return std::pair(figure(c, c.methods[i]), least_sqnr(c.methods[i].measured.evaluation));
  };
  for (std::size_t i = 1; i < c.methods.size(); ++i)
    if (key(i) > key(best.index)) best.index = i;
  for (std::size_t i = 0; i < c.methods.size(); ++i)
    equals += i != best.index && key(i).first == key(best.index).first;
  best.reason = fmt::format("largest {}: {}", c.objective, figure_text(c, key(best.index).first));
  if (equals > 0)
    best.reason += fmt::format(", as {} other(s); of these the largest SQNR, {} dB", equals,
                               sqnr_text(key(best.index).second));
  return best;
}

Json to_json(const Comparison& c, const Best& best, const Observations& observations) {
  const Evaluation& first = c.methods.front().measured.evaluation;
  Json json = {{"schema", "intaglio.compare/1"},
               {"command", "compare"},
               {"tool", {{"name", "intaglio"}, {"version", INTAGLIO_VERSION}}},
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

void print_comparison(const Comparison& c, const Best& best) {
  std::vector<std::vector<std::string>> rows = {
      {"method", "top-1 %", "top-5 %", "agreement %", "SQNR dB", "cosine", "bytes"}};
  const auto accuracy = [](const std::optional<Accuracy>& a, double Accuracy::*which) {
    return a ? percent((*a).*which) : std::string("-");
  };
  const Evaluation& first = c.methods.front().measured.evaluation;
  rows.push_back({"FP32", accuracy(first.reference, &Accuracy::top1),
                  accuracy(first.reference, &Accuracy::top5), "100.00", "", "",
                  std::to_string(c.prepared.source["bytes"].get<std::uint64_t>())});
  for (const Compared& m : c.methods) {
    const Evaluation& e = m.measured.evaluation;
    const auto cosine = e.outputs.empty() ? std::nullopt : e.outputs.front().deviation.cosine();
    rows.push_back({m.method.text(), accuracy(e.accuracy, &Accuracy::top1),
                    accuracy(e.accuracy, &Accuracy::top5),
                    e.agreement ? percent(*e.agreement) : "-", sqnr_text(least_sqnr(e)),
                    cosine ? fmt::format("{:.6f}", *cosine) : "-", std::to_string(m.bytes)});
  }
  print_table(rows);
  fmt::print("\nbest: {} ({}) over {} samples\n", c.methods[best.index].method.text(), best.reason,
             first.samples);
}

}  // namespace intaglio
