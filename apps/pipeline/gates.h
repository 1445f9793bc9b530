// Gates: limits that a CI run sets. A missed gate is Code::accuracy, thrown after all outputs are
// written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

struct Gates {
  std::optional<double> min_sqnr = {};             // dB, of every output
  std::optional<double> min_cosine = {};           // of every output
  std::optional<double> min_psnr = {};             // dB, of every output
  std::optional<double> max_top1_drop = {};        // points
  std::optional<double> min_agreement = {};        // %
  std::optional<double> max_agreement_drop = {};   // points below 100 %
  std::optional<double> min_boxes_f1 = {};         // 0..1
  std::optional<double> max_character_error = {};  // %
  std::optional<double> min_equal_lines = {};      // %

  bool any() const { return !metrics().empty(); }
  std::vector<Metric> metrics() const;  // that the gates need
  // Throws Code::usage when a gate cannot be measured (no labels, no reference).
  void require_measurable(bool has_labels, bool has_reference) const;
  // Every gate that was missed, with both figures. What could not be measured, such as F1 where
  // there are no boxes, misses its gate.
  std::vector<std::string> missed(const Evaluation& evaluation) const;
  // Throws Code::accuracy naming them.
  void check(const Evaluation& evaluation) const;
};

}  // namespace intaglio
