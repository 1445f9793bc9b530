// What the best of several methods is best at.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/metric_def.h"

namespace intaglio {

// The words for it, by metric: agreement, top1, sqnr, cosine, psnr, boxes (F1), ctc (character
// error).
std::vector<std::string> objectives();
const MetricDef* metric_of(std::string_view objective);  // null: of no objective

// The agreement of classifiers, else SQNR, else what the plan has.
std::string default_objective(const MetricPlan& plan);

struct Best {
  std::size_t index = 0;
  std::string reason;
};

// The evaluation with the best figure of the objective (merit_of). Of equals, that with the larger SQNR of the outputs (the least of them), and of those the
// first. There must be one at least.
Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective);

}  // namespace intaglio
