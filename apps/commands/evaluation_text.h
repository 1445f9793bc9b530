// What an evaluation found, as lines on stdout.
#pragma once

#include <string>

#include "apps/pipeline/gates.h"
#include "apps/pipeline/split.h"

namespace intaglio {

// The figures that were chosen: classes as a table with a row for each of the two names, the rest a
// line each.
void print_evaluation(const std::string& reference, const std::string& model,
                      const Evaluation& evaluation, EvalSource source);

// A line for each gate: whether it holds, by what figure, and how sure that is.
void print_gates(const std::vector<JudgedGate>& gates);

}  // namespace intaglio
