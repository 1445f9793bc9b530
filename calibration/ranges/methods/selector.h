// Calibration methods: pure functions from the statistics of a value to the range that its codes
// cover.
//
// To add one, write calibration/ranges/methods/<name>.cpp with its SelectorDef and name it in
// selector.cpp: help, validation of parameters and the report read that table.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/statistics/statistics.h"
#include "lib/base/json.h"
#include "lib/quant/qparams.h"

namespace intaglio {

struct Choice {
  Range range;
  std::string note;  // what a user should know about this range; empty: nothing
};

// How much a squared error of a value matters to its readers.
struct Emphasis {
  double below_zero = 1;  // of negative values, against 1 for others; not negative
};

// The range for a value with these statistics, quantized to this grid of any width from 2 to 16
// bits. Called with finite() > 0, and with a histogram when the method asks for it. Methods that
// measure no error ignore the emphasis.
using Selector = std::function<Choice(const Statistics&, const Grid&, const Emphasis&)>;

struct ParameterDef {
  std::string_view name;
  double fallback, least, most;  // default; bounds, both allowed
  std::string_view help;
};

// What the stages know of a method beside its formula.
struct MethodTraits {
  bool needs_histogram = false;
  bool keeps_extremes = false;   // ranges end at the smallest and the largest value
  bool minimizes_error = false;  // of the quantizer: then a scale that many values share is kept
};

struct SelectorDef {
  std::string_view name;
  std::string_view help;
  std::vector<ParameterDef> parameters;
  MethodTraits traits = {};
  Selector (*make)(const Json& parameters);
};

std::span<const SelectorDef> selectors();

// A method as the user names it: "minmax", "percentile:p=99.99".
struct Method {
  std::string name;
  Json parameters = Json::object();  // all of them, defaults included
  MethodTraits traits = {};
  Selector selector;

  // "percentile:p=99.99": name and parameters that differ from their defaults.
  std::string text() const;
};
// Throws Code::usage for an unknown method or parameter, naming the nearest and all that exist, and
// for a value out of bounds.
Method parse_method(std::string_view text);

}  // namespace intaglio
