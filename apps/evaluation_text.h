// What an evaluation found, as lines on stdout, and what it could not find.
#pragma once

#include <string>
#include <vector>

#include "lib/eval/evaluate.h"

namespace intaglio {

// The figures that were chosen: classes as a table with a row for each of the two names, the rest a
// line each.
void print_evaluation(const std::string& reference, const std::string& model,
                      const Evaluation& evaluation);

// Figures of a chosen metric that there were no boxes or characters for.
std::vector<std::string> evaluation_warnings(const Evaluation& evaluation);

// Short texts of the figures; "-" where there is none.
std::string decibels(const std::optional<double>& value);       // "31.25 dB", "without noise"
std::string f1_text(const BoxMatches& boxes);                   // "0.9512"
std::string character_error_text(const StringErrors& strings);  // "0.00"

}  // namespace intaglio
