// The methods of a report, alike for quantize, which has one, compare, which has several, and
// evaluate, whose model stands for one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/json.h"

namespace intaglio::html {

struct MethodView {
  std::string text;        // "percentile:p=99.99"
  const Json& values;      // as in the report, activations and constants
  const Json& evaluation;  // null when nothing was evaluated
  std::uint64_t bytes;     // of the model as a file
};

// Views into the report, which must outlive them.
std::vector<MethodView> methods_of(const Json& report);

// Whether it is one of compare.
bool is_comparison(const Json& report);

// Which of them made the model that is written: 0, or the best of a comparison.
std::size_t chosen_of(const Json& report);

// The values of that model.
const Json& values_of(const Json& report);

// Of the values seen, how many percent are beyond the range: text for a cell.
std::string clipped_percent(const Json& value);

}  // namespace intaglio::html
