#include "apps/report/html/methods.h"

#include "apps/report/html/markup.h"

namespace intaglio::html {

bool is_comparison(const Json& report) { return report["command"] == "compare"; }

std::vector<MethodView> methods_of(const Json& report) {
  if (report["command"] == "evaluate") {
    static const Json none = Json::array();
    return {
        {"the model", none, report["evaluation"], report["model"]["bytes"].get<std::uint64_t>()}};
  }
  if (!is_comparison(report))
    return {{"quantized", report["values"], report["evaluation"],
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
