// Gates: limits that a CI run sets. A missed gate is Code::accuracy, thrown after all outputs are written.
#pragma once

#include <optional>

#include "lib/eval/evaluate.h"

namespace intaglio {

struct Gates {
  std::optional<double> min_sqnr;       // dB, of every output
  std::optional<double> max_top1_drop;  // points
  std::optional<double> min_agreement;  // %

  bool any() const { return min_sqnr || max_top1_drop || min_agreement; }
  // Throws Code::usage when a gate cannot be measured (no labels, no reference).
  void require_measurable(bool has_labels, bool has_reference) const;
  // Throws Code::accuracy naming every gate that was missed, with both figures.
  void check(const Evaluation& evaluation) const;
};

}  // namespace intaglio
