// Calibration methods: pure functions from the statistics of a value to the range that its codes cover.
//
// To add one, write calibration/selectors/<name>.cpp with its SelectorDef and name it in selector.cpp: help,
// validation of parameters and the report read that table.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/observe.h"
#include "lib/base/json.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// The range for a value with these statistics, quantized with this scheme. Called with finite() > 0.
using Selector = std::function<Range(const Statistics&, const Scheme&)>;

struct SelectorDef {
  std::string_view name;
  std::string_view help;
  std::vector<std::pair<std::string, double>> parameters;  // name and default
  Selector (*make)(const Json& parameters);
};

std::span<const SelectorDef> selectors();

// A method as the user names it: "minmax", "percentile:p=99.99,bins=2048".
struct Method {
  std::string name;
  Json parameters = Json::object();  // all of them, defaults included
  Selector selector;
};
// Throws Code::usage for an unknown method or parameter, listing those that exist.
Method parse_method(std::string_view text);

}  // namespace intaglio
