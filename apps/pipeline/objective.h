// What the best of several methods is best at.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/metric_def.h"

namespace intaglio {

// The words for it, by metric: agreement, top1, sqnr, cosine, psnr, boxes (F1), ctc (character
// error), perplexity, kl, tokens.
std::vector<std::string> objectives();
const MetricDef* metric_of(std::string_view objective);  // null: of no objective

// The agreement of classifiers, KL of language models, else SQNR, else what the plan has.
std::string default_objective(const MetricPlan& plan);

struct Best {
  std::size_t index = 0;
  std::string reason;
  std::vector<std::size_t> tied;  // all that chance could have made the best, this one included
};

// The evaluation with the best figure of the objective (merit_of), where it is better than the others
// by more than chance: they are of the same samples, and compared one by one (paired.h). Of those
// that cannot be told from it, the one with the best SQNR (of the output that fares worst); of those
// that cannot be told apart by that either, the cheapest: costs are in any unit, one for each. Of
// equals the first. There must be one at least.
Best best_of(std::span<const Evaluation* const> evaluations, const std::string& objective,
             std::span<const double> costs);

}  // namespace intaglio
