#include "apps/options/gates.h"

#include <CLI/CLI.hpp>

namespace intaglio {

void add_gate_options(CLI::App& command, Gates& gates) {
  const auto add = [&](const char* flag, std::optional<double>& limit, const char* unit,
                       const char* help) {
    return command.add_option(flag, limit, std::string("Exit 8 when ") + help)->type_name(unit);
  };
  const CLI::Range percentage(0.0, 100.0), fraction(0.0, 1.0);
  add("--min-sqnr", gates.min_sqnr, "DB", "an output has a lower SQNR");
  add("--min-cosine", gates.min_cosine, "0..1", "an output has a lower cosine")->check(fraction);
  add("--min-psnr", gates.min_psnr, "DB", "an output has a lower PSNR");
  add("--max-top1-drop", gates.max_top1_drop, "POINTS", "top-1 falls by more (needs --labels)");
  add("--min-agreement", gates.min_agreement, "PERCENT", "fewer samples keep their top class")
      ->check(percentage);
  add("--max-agreement-drop", gates.max_agreement_drop, "POINTS",
      "more samples, in percent, change their top class")
      ->check(percentage);
  add("--min-boxes-f1", gates.min_boxes_f1, "0..1", "the boxes have a lower F1")->check(fraction);
  add("--max-character-error", gates.max_character_error, "PERCENT",
      "more characters of the strings are wrong");
  add("--min-equal-lines", gates.min_equal_lines, "PERCENT", "fewer lines give the same string")
      ->check(percentage);
}

}  // namespace intaglio
