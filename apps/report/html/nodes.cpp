// What stays float, and why; counts by operator.
#include <fmt/format.h>

#include <map>

#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"
#include "apps/report/report.h"

namespace intaglio::html {
namespace {

const Column node{"Node", "name", true}, op{"Operator", "op", true},
    reason{"Reason", "reason", true}, value{"Value", "name", true}, kind{"Kind", "kind", true},
    type{"Type", "type", true}, quantized{"Quantized", "quantized"}, left{"Float", "float"},
    folded{"Folded", "folded"}, verdict{"Verdict", "verdict", true},
    remedy{"What to change", "remedy", true};

std::string text(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

std::string node_rows(const Json& nodes, const char* status) {
  std::string rows;
  for (const Json& n : nodes)
    if (n["status"] == status && n["reason"] != "")
      rows += "<tbody><tr>" + row_head(code(node_label(n)), node) + cell(code(text(n, "op")), op) +
              cell(escaped(text(n, "reason")), reason) + "</tr></tbody>\n";
  return rows;
}

std::string node_table(const char* caption, const std::string& rows) {
  return table(caption, {node, op, reason}, rows);
}

std::string operators(const Json& nodes) {
  std::map<std::string, std::map<std::string, std::size_t>> counts;
  for (const Json& n : nodes) ++counts[text(n, "op")][text(n, "status")];
  std::string rows;
  for (auto& [name, by_status] : counts)
    rows += "<tbody><tr>" + row_head(code(name), op) +
            cell(std::to_string(by_status["quantized"]), quantized) +
            cell(std::to_string(by_status["float"]), left) +
            cell(std::to_string(by_status["folded"]), folded) + "</tr></tbody>\n";
  return table("Nodes by operator. Folded: gone before quantization", {op, quantized, left, folded},
               rows);
}

std::string details(const std::string& summary, const std::string& content) {
  return "<details><summary>" + summary + "</summary>\n" + content + "</details>\n";
}

std::string float_values(const PageSource& source) {
  std::string rows;
  std::size_t count = 0;
  for (const Json& v : values_of(source.report)) {
    if (!v.contains("reason") || v["kind"] == "folded") continue;
    ++count;
    rows += "<tbody><tr>" + row_head(code(text(v, "name")), value) +
            cell(escaped(text(v, "kind")), kind) + cell(escaped(text(v, "type")), type) +
            cell(escaped(text(v, "reason")), reason) + "</tr></tbody>\n";
  }
  if (count == 0) return "";
  return details(fmt::format("{} values that stay as they are", count),
                 table("Values without integers", {value, kind, type, reason}, rows));
}

// What the target does with the result: the judgement of `check`.
std::string judged(const Json& check) {
  std::string rows;
  for (const Json& problem : check["problems"])
    rows += "<tbody><tr>" + row_head("the model", node) + cell("", op) + cell("misfit", verdict) +
            cell(escaped(text(problem, "reason")), reason) +
            cell(escaped(text(problem, "remedy")), remedy) + "</tr></tbody>\n";
  for (const Json& n : check["nodes"])
    rows += "<tbody><tr>" + row_head(code(node_label(n)), node) + cell(code(text(n, "op")), op) +
            cell(escaped(text(n, "verdict")), verdict) + cell(escaped(text(n, "reason")), reason) +
            cell(escaped(text(n, "remedy")), remedy) + "</tr></tbody>\n";
  const std::string target = text(check, "target");
  std::string out = fmt::format(
      "<p>Of the result, target {} runs {} nodes in integers and {} in float; {} do not fit.</p>\n",
      code(target), check["integer"].get<std::size_t>(), check["float"].get<std::size_t>(),
      check["misfit"].get<std::size_t>());
  if (!rows.empty())
    out += details("Nodes of the result that do not run in integers",
                   table("As 'check' says", {node, op, verdict, reason, remedy}, rows));
  return out;
}

}  // namespace

std::string nodes_section(const PageSource& source) {
  const Json& nodes = source.report["nodes"];
  std::map<std::string, std::size_t> counts;
  for (const Json& n : nodes) ++counts[text(n, "status")];
  std::string out = "<section id=\"nodes\"><h2>Nodes left float</h2>\n";
  out += fmt::format("<p>{} nodes are quantized, {} stay float, {} were folded away.</p>\n",
                     counts["quantized"], counts["float"], counts["folded"]);
  if (source.report.contains("check")) out += judged(source.report["check"]);
  if (counts["float"] > 0) out += node_table("Nodes that stay float", node_rows(nodes, "float"));
  const std::string remarks = node_rows(nodes, "quantized");
  if (!remarks.empty())
    out +=
        details("Quantized nodes with a remark", node_table("Remarks on quantized nodes", remarks));
  out += float_values(source);
  out += details("Nodes by operator", operators(nodes));
  return out + "</section>\n";
}

}  // namespace intaglio::html
