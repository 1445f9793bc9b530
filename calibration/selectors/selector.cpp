#include "calibration/selectors/selector.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace intaglio {

extern const SelectorDef minmax_selector;

std::span<const SelectorDef> selectors() {
  static const std::array<SelectorDef, 1> table = {minmax_selector};
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
              fmt::format("Known methods: {}.", fmt::join(known, ", ")));
}

void set_parameter(const SelectorDef& def, std::string_view assignment, Json& parameters) {
  const std::size_t equals = assignment.find('=');
  const std::string key(assignment.substr(0, equals));
  if (equals == std::string_view::npos || !parameters.contains(key)) {
    std::vector<std::string> known;
    for (const auto& [name, value] : def.parameters) known.push_back(name);
    throw Error(Code::usage, fmt::format("method {} has no parameter '{}'", def.name, assignment),
                known.empty() ? "It has no parameters." : fmt::format("Known: {}.", fmt::join(known, ", ")));
  }
  const std::string_view text = assignment.substr(equals + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::usage, fmt::format("method {}: '{}' is not a number", def.name, assignment));
  parameters[key] = value;
}

}  // namespace

Method parse_method(std::string_view text) {
  const std::size_t colon = text.find(':');
  const SelectorDef& def = find_selector(text.substr(0, colon));
  Method method{std::string(def.name), Json::object(), {}};
  for (const auto& [name, value] : def.parameters) method.parameters[name] = value;
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    set_parameter(def, rest.substr(0, comma), method.parameters);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  method.selector = def.make(method.parameters);
  return method;
}

}  // namespace intaglio
