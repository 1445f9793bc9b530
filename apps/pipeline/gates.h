// Gates: limits that a CI run sets. A missed gate is Code::accuracy, thrown after all outputs are
// written.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

struct Gates {
  // By the name of a gate of all_gates(): "min-sqnr".
  std::map<std::string_view, double> limits = {};

  bool any() const { return !metrics().empty(); }
  std::vector<Metric> metrics() const;  // that the gates need
  bool need_labels() const;
  // Throws Code::usage when a gate cannot be measured (no labels, no reference).
  void require_measurable(bool has_labels, bool has_reference) const;
  // Every gate that was missed, with both figures. What could not be measured, such as F1 where
  // there are no boxes, misses its gate.
  std::vector<std::string> missed(const Evaluation& evaluation) const;
  // Throws Code::accuracy naming them.
  void check(const Evaluation& evaluation) const;
};

}  // namespace intaglio
