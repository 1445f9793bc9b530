#include "calibration/tokens/pattern.h"

namespace intaglio {

Pattern::Pattern(const Place& place) {
  try {
    if (place.has("String")) {
      const std::string text = place.text("String");
      if (!text.empty()) regex_.emplace_back(quoted_pattern(text));
    } else {
      regex_.emplace_back(place.text("Regex"));
    }
  } catch (const Error& e) {
    if (e.code() == Code::unsupported) place.refuse(e.what());
    throw;
  }
}

std::vector<Span> Pattern::matches(std::string_view text) const {
  return regex_.empty() ? std::vector<Span>{} : regex_.front().matches(text);
}

}  // namespace intaglio
