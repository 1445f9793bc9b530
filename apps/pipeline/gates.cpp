#include "apps/pipeline/gates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

// The gates that have a limit, with it.
struct SetGate {
  MetricGate gate;
  GateLimit limit;
};

std::vector<SetGate> gates_of(const Gates& gates) {
  std::vector<SetGate> list;
  for (const MetricGate& gate : all_gates())
    if (const auto it = gates.limits.find(gate.gate->name); it != gates.limits.end())
      list.push_back({gate, {fmt::format("--{}", gate.gate->name), it->second}});
  if (list.size() != gates.limits.size()) throw Error(Code::internal, "a limit of no gate");
  return list;
}

}  // namespace

std::vector<Metric> Gates::metrics() const {
  std::set<Metric> needed;
  for (const SetGate& set : gates_of(*this)) needed.insert(set.gate.metric->metric);
  return {needed.begin(), needed.end()};
}

bool Gates::need_labels() const {
  return std::ranges::any_of(metrics(), [](Metric metric) { return def_of(metric).labels; });
}

void Gates::require_measurable(bool has_labels, bool has_reference) const {
  for (const SetGate& set : gates_of(*this))
    if (!set.gate.gate->absolute && !has_reference)
      throw Error(Code::usage,
                  fmt::format("{} needs a float model to compare with", set.limit.name),
                  "Give --reference FP32.onnx.");
  for (const SetGate& set : gates_of(*this))
    if (set.gate.metric->labels && !has_labels)
      throw Error(Code::usage, fmt::format("{} needs labels", set.limit.name),
                  "Give --labels FILE.csv.");
}

std::vector<JudgedGate> Gates::judge(const Evaluation& e) const {
  std::vector<JudgedGate> judged;
  for (const SetGate& set : gates_of(*this))
    for (GateOutcome& outcome : set.gate.judge(e, set.limit))
      judged.push_back({set.gate.gate->name, set.limit.value, std::move(outcome)});
  return judged;
}

std::vector<std::string> Gates::missed(const Evaluation& e) const {
  std::vector<std::string> missed;
  for (JudgedGate& gate : judge(e))
    if (!gate.holds()) missed.push_back(std::move(gate.outcome.missed));
  return missed;
}

std::vector<std::string> Gates::doubts() const {
  std::vector<std::string> doubts;
  for (const SetGate& set : gates_of(*this))
    if (set.gate.gate->unit == "PERCENT" && set.gate.gate->name.starts_with("min-") &&
        set.limit.value > 0 && set.limit.value <= 1)
      doubts.push_back(
          fmt::format("{} {} asks for {} %, which next to everything has: percent go to 100",
                      set.limit.name, set.limit.value, set.limit.value));
  return doubts;
}

std::optional<double> JudgedGate::missed_by() const {
  if (holds() || !outcome.measured) return std::nullopt;
  return std::abs(*outcome.measured - asked);
}

std::string figures_text(const JudgedGate& gate) {
  const GateOutcome& o = gate.outcome;
  std::string line;
  if (!o.of.empty()) line += fmt::format(" by output '{}'", o.of);
  if (o.measured) line += fmt::format(", {:.{}f}", *o.measured, *o.measured < 1 ? 6 : 2);
  if (o.interval) line += fmt::format(" (95 % interval {})", text(*o.interval));
  if (gate.unsure()) line += "; the interval holds the limit: more samples would tell";
  return line;
}

void require_held(const std::vector<JudgedGate>& gates, const std::string& remedy) {
  std::vector<std::string> missed;
  for (const JudgedGate& gate : gates)
    if (!gate.holds()) missed.push_back(gate.outcome.missed);
  if (!missed.empty())
    throw Error(Code::accuracy, fmt::format("gate missed: {}", fmt::join(missed, "; ")), remedy);
}

}  // namespace intaglio
