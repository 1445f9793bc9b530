#include "lib/eval/figures.h"

#include <fmt/format.h>

namespace intaglio {

std::string percent(double value) { return fmt::format("{:.2f}", value); }

std::string decibels(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} dB", *value) : "without noise";
}

std::string figure_text(const std::optional<double>& figure, int decimals) {
  return figure ? fmt::format("{:.{}f}", *figure, decimals) : "-";
}

std::string f1_text(const BoxMatches& boxes) {
  const auto f1 = boxes.f1();
  return f1 ? fmt::format("{:.4f}", *f1) : "-";
}

std::string character_error_text(const StringErrors& strings) {
  const auto error = strings.character_error();
  return error ? percent(*error) : "-";
}

}  // namespace intaglio
