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
  std::string objective = "agreement";  // agreement, top1, sqnr
};

struct Best {
  std::size_t index = 0;
  std::string reason;
};

// The method with the largest figure of the objective. Of equals, that with the larger SQNR of the
// outputs (the least of them), and of those the first.
Best best_of(const Comparison& comparison);

// Without "output", "warnings" and "run".
Json to_json(const Comparison& comparison, const Best& best, const Observations& observations);

void print_comparison(const Comparison& comparison, const Best& best);

}  // namespace intaglio
