// Where a tokenizer cuts or replaces: {"String": ...}, taken as it is, or {"Regex": ...}.
#pragma once

#include "calibration/tokens/regex.h"
#include "calibration/tokens/tokenizer_json.h"

namespace intaglio {

class Pattern {
 public:
  explicit Pattern(const Place& place);
  std::vector<Span> matches(std::string_view text) const;

 private:
  std::vector<Regex> regex_;  // one; none for the empty text, which is nowhere
};

}  // namespace intaglio
