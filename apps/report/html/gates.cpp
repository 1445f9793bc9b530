#include <fmt/format.h>

#include <algorithm>

#include "apps/report/html/markup.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {
namespace {

std::string row(const Json& gate, const std::vector<Column>& columns) {
  std::string name = code("--" + gate["name"].get<std::string>());
  if (gate["output"].is_string()) name += " of " + code(gate["output"].get<std::string>());
  std::string interval = no_number;
  if (gate["interval"].is_array())
    interval = fmt::format("{:.2f} to {:.2f}", gate["interval"][0].get<double>(),
                           gate["interval"][1].get<double>());
  std::string verdict = gate["holds"].get<bool>() ? "holds" : "<strong>missed</strong>";
  if (gate["unsure"].get<bool>()) verdict += ", more samples would tell";
  return "<tr>" + row_head(name, columns[0]) + cell(verdict, columns[1]) +
         cell(figure(gate, "asked"), columns[2]) + cell(figure(gate, "measured"), columns[3]) +
         cell(interval, columns[4]) + "</tr>\n";
}

}  // namespace

std::string gates_section(const Json& report) {
  if (!report.contains("gates") || report["gates"].empty()) return "";
  const Json& gates = report["gates"];
  const auto missed =
      std::ranges::count_if(gates, [](const Json& gate) { return !gate["holds"].get<bool>(); });
  const std::vector<Column> columns = {{"Gate", "", true},
                                       {"Verdict", "", true},
                                       {"Asked", ""},
                                       {"Measured", ""},
                                       {"95 % interval", ""}};
  std::string body = "<tbody>\n";
  for (const Json& gate : gates) body += row(gate, columns);
  const std::string title =
      missed == 0 ? "Gates: all hold" : fmt::format("Gates: {} of {} missed", missed, gates.size());
  return fmt::format(
      "<section id=\"gates\" class=\"{}\"><h2>{}</h2>\n{}</section>\n",
      missed == 0 ? "held" : "missed", title,
      table("What was asked for, and what was measured", columns, body + "</tbody>\n"));
}

}  // namespace intaglio::html
