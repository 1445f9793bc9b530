// What compare found: its choice, its table and its JSON ("intaglio.compare/1").
#pragma once

#include <string>
#include <vector>

#include "apps/pressed.h"
#include "calibration/selectors/selector.h"

namespace intaglio {

struct Compared {
  const Method& method;
  const Pressed& pressed;
  const Measured& measured;
  std::uint64_t bytes;  // of the model as a file
};

struct Comparison {
  const Prepared& prepared;
  const Target& target;
  std::string format;
  Json data, evaluation_data;
  std::vector<Compared> methods;
  std::string objective = "agreement";  // one of objectives()
};

// agreement, top1, sqnr, cosine, psnr, boxes (F1), ctc (character error).
std::vector<std::string> objectives();
std::optional<Metric> metric_of(std::string_view objective);  // nullopt: of no objective
// The agreement of classifiers, else SQNR, else what the plan has.
std::string default_objective(const MetricPlan& plan);

struct Best {
  std::size_t index = 0;
  std::string reason;
};

// The method with the best figure of the objective: the largest, or the smallest character error.
// Of outputs the worst one counts. Of equals, that with the larger SQNR of the outputs (the least
// of them), and of those the first.
Best best_of(const Comparison& comparison);

// Without "output", "warnings" and "run".
Json to_json(const Comparison& comparison, const Best& best, const Observations& observations);

void print_comparison(const Comparison& comparison, const Best& best);

}  // namespace intaglio
