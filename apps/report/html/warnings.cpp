#include <fmt/format.h>

#include "apps/report/html/markup.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {
namespace {

std::string skipped_samples(const Json& report, const char* part) {
  if (!report.contains(part) || !report[part].is_object()) return "";
  std::string items;
  for (const Json& s : report[part]["skipped"])
    items += fmt::format("<li>Sample left out: {}: {}</li>\n", code(s["file"].get<std::string>()),
                         escaped(s["reason"].get<std::string>()));
  return items;
}

}  // namespace

std::string warnings_section(const Json& report) {
  std::string items;
  for (const Json& warning : report["warnings"])
    items += "<li>" + escaped(warning.get<std::string>()) + "</li>\n";
  items += skipped_samples(report, "data");
  items += skipped_samples(report, "evaluation_data");
  if (items.empty()) return "<p id=\"warnings\">No warnings.</p>\n";
  return "<section id=\"warnings\" class=\"warnings\"><h2>Warnings</h2>\n<ul>" + items +
         "</ul></section>\n";
}

}  // namespace intaglio::html
