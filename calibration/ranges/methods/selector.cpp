#include "calibration/ranges/methods/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/base/nearest.h"

namespace intaglio {

extern const SelectorDef minmax_selector, percentile_selector, mse_selector, entropy_selector;

std::span<const SelectorDef> selectors() {
  static const std::array<SelectorDef, 4> table = {minmax_selector, percentile_selector,
                                                   mse_selector, entropy_selector};
  return table;
}

namespace {

const SelectorDef& find_selector(std::string_view name) {
  std::vector<std::string_view> known;
  for (const SelectorDef& def : selectors()) {
    if (def.name == name) return def;
    known.push_back(def.name);
  }
  throw Error(Code::usage, fmt::format("'{}' is no calibration method", name),
              suggestion(name, known));
}

const ParameterDef& find_parameter(const SelectorDef& def, std::string_view name) {
  std::vector<std::string_view> known;
  for (const ParameterDef& parameter : def.parameters) {
    if (parameter.name == name) return parameter;
    known.push_back(parameter.name);
  }
  throw Error(Code::usage, fmt::format("method {} has no parameter '{}'", def.name, name),
              suggestion(name, known));
}

void set_parameter(const SelectorDef& def, std::string_view assignment, Json& parameters) {
  const std::size_t equals = assignment.find('=');
  const ParameterDef& parameter = find_parameter(def, assignment.substr(0, equals));
  const std::string_view text =
      equals == std::string_view::npos ? "" : assignment.substr(equals + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::usage, fmt::format("method {}: '{}' is not a number", def.name, assignment),
                fmt::format("Write {}:{}=NUMBER.", def.name, parameter.name));
  if (!(value >= parameter.least && value <= parameter.most))
    throw Error(Code::usage,
                fmt::format("method {}: {} = {} is out of bounds", def.name, parameter.name, value),
                fmt::format("It is the {}, from {:.6g} to {}.", parameter.help, parameter.least,
                            parameter.most));
  parameters[std::string(parameter.name)] = value;
}

}  // namespace

Method parse_method(std::string_view text) {
  const std::size_t colon = text.find(':');
  const SelectorDef& def = find_selector(text.substr(0, colon));
  Method method{std::string(def.name), Json::object(), def.traits, {}};
  for (const ParameterDef& parameter : def.parameters)
    method.parameters[std::string(parameter.name)] = parameter.fallback;
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    set_parameter(def, rest.substr(0, comma), method.parameters);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  method.selector = def.make(method.parameters);
  return method;
}

std::string Method::text() const {
  std::string list;
  for (const ParameterDef& parameter : find_selector(name).parameters) {
    const auto value = parameters[std::string(parameter.name)].get<double>();
    if (value != parameter.fallback)
      list += fmt::format("{}{}={}", list.empty() ? ":" : ",", parameter.name, value);
  }
  return name + list;
}

}  // namespace intaglio
