// What an evaluation found, as lines on stdout.
#pragma once

#include <string>

#include "lib/eval/evaluate.h"

namespace intaglio {

// The figures that were chosen: classes as a table with a row for each of the two names, the rest a
// line each.
void print_evaluation(const std::string& reference, const std::string& model,
                      const Evaluation& evaluation);

}  // namespace intaglio
