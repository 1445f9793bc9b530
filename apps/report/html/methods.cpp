#include "apps/report/html/methods.h"

#include <fmt/format.h>

#include "apps/report/html/markup.h"

namespace intaglio::html {
namespace {

std::string text_of(const Json& method) {
  std::string text = method["name"].get<std::string>();
  char separator = ':';
  for (const auto& [key, value] : method.items()) {
    if (key == "name") continue;
    text += separator + key + fmt::format("={:g}", value.get<double>());
    separator = ',';
  }
  return text;
}

}  // namespace

bool is_comparison(const Json& report) { return report["command"] == "compare"; }

std::vector<MethodView> methods_of(const Json& report) {
  if (!is_comparison(report))
    return {{text_of(report["method"]), report["values"], report["evaluation"],
             report["output"]["bytes"].get<std::uint64_t>()}};
  std::vector<MethodView> methods;
  for (const Json& method : report["methods"])
    methods.push_back({method["text"].get<std::string>(), method["values"], method["evaluation"],
                       method["output_bytes"].get<std::uint64_t>()});
  return methods;
}

std::size_t chosen_of(const Json& report) {
  return is_comparison(report) ? report["best"]["index"].get<std::size_t>() : 0;
}

const Json& values_of(const Json& report) { return methods_of(report)[chosen_of(report)].values; }

std::string clipped_percent(const Json& value) {
  if (!value.contains("clipped") || !value["clipped"].is_number()) return no_number;
  const double count = value["count"].get<double>();
  return significant(count > 0 ? 100 * value["clipped"].get<double>() / count : 0);
}

}  // namespace intaglio::html
