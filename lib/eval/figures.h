// Figures of an evaluation as people read them.
#pragma once

#include <optional>
#include <string>

#include "lib/eval/evaluate.h"

namespace intaglio {

std::string percent(double value);                         // "83.40"
std::string decibels(const std::optional<double>& value);  // "31.25 dB", "without noise"

// "-" where there is none.
std::string figure_text(const std::optional<double>& figure, int decimals);  // "34.42", "inf"
std::string f1_text(const BoxMatches& boxes);                                // "0.9512"
std::string character_error_text(const StringErrors& strings);               // "0.00", in percent

}  // namespace intaglio
