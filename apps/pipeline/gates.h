// Gates: limits that a CI run sets. A missed gate is Code::accuracy, thrown after all outputs are
// written.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/metric_def.h"

namespace intaglio {

struct JudgedGate {
  std::string_view name;  // "min-sqnr"
  double asked = 0;
  GateOutcome outcome;

  bool holds() const { return outcome.missed.empty(); }
  // Whether samples like these could as well have it the other way: the limit lies in the interval.
  bool unsure() const { return outcome.interval && outcome.interval->holds(asked); }
  // How far the figure lies beyond the limit; nullopt: it holds, or has no figure.
  std::optional<double> missed_by() const;
};
// What follows the verdict: " by output 'y', 98.10 (95 % interval 97.06..98.78)", and that it is unsure.
std::string figures_text(const JudgedGate& gate);

struct Gates {
  // By the name of a gate of all_gates(): "min-sqnr".
  std::map<std::string_view, double> limits = {};

  bool any() const { return !metrics().empty(); }
  std::vector<Metric> metrics() const;  // that the gates need
  bool need_labels() const;
  // Throws Code::usage when a gate cannot be measured (no labels, no reference).
  void require_measurable(bool has_labels, bool has_reference) const;
  // Every gate in the order of all_gates(), and every output of it.
  std::vector<JudgedGate> judge(const Evaluation& evaluation) const;
  // The sentences of those that were missed.
  std::vector<std::string> missed(const Evaluation& evaluation) const;
  // Limits that are hardly meant: a share of 0..1 where percent are asked for.
  std::vector<std::string> doubts() const;
};

// Throws Code::accuracy naming those that were missed, with what to do about it.
void require_held(const std::vector<JudgedGate>& gates, const std::string& remedy);

}  // namespace intaglio
