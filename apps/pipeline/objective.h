// What the best of several methods is best at.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

// agreement, top1, sqnr, cosine, psnr, boxes (F1), ctc (character error).
std::vector<std::string> objectives();
std::optional<Metric> metric_of(std::string_view objective);  // nullopt: of no objective

// The agreement of classifiers, else SQNR, else what the plan has.
std::string default_objective(const MetricPlan& plan);

// Figures of the output that fares worst; infinite, or 1, where all are exact.
double least_sqnr(const Evaluation& evaluation);    // dB
double least_cosine(const Evaluation& evaluation);  // -1..1
double least_psnr(const Evaluation& evaluation);    // dB
std::string least_text(double decibels);            // "31.25", "exact"

struct Best {
  std::size_t index = 0;
  std::string reason;
};

// The evaluation with the best figure of the objective: the largest, or the smallest character
// error. Of equals, that with the larger SQNR of the outputs (the least of them), and of those the
// first. There must be one at least.
Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective);

}  // namespace intaglio
