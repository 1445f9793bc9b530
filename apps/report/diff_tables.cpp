#include "apps/report/diff_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "apps/report/flags.h"
#include "apps/report/summary.h"
#include "lib/eval/share.h"

namespace intaglio {
namespace {

// With the interval where the samples are few.
std::string cell(const FigureDef& def, const std::optional<DigestFigure>& figure,
                 std::uint64_t samples) {
  if (!figure) return "-";
  const std::string text = figure_text(def, figure->value);
  return figure->interval && samples < few_counts
             ? fmt::format("{} ({})", text, intaglio::text(*figure->interval))
             : text;
}

std::string change_text(const FigureChange& change) {
  if (!change.old || !change.now) return "-";
  const double a = change.old->value, b = change.now->value;
  if (a == b) return "0";
  if (!std::isfinite(a) || !std::isfinite(b)) return *change.worse_by() > 0 ? "worse" : "better";
  if (change.def->relative && a != 0) return fmt::format("{:+.2f} %", 100 * (b - a) / a);
  return fmt::format("{:+.{}f}", b - a, change.def->decimals);
}

DiffTable figures_table(const ReportDiff& diff) {
  DiffTable table{"figures", {{"figure", "old", "new", "change"}}};
  for (const FigureChange& c : diff.figures)
    table.rows.push_back(
        {c.of.empty() ? std::string(c.def->head) : fmt::format("{}, '{}'", c.def->head, c.of),
         cell(*c.def, c.old, diff.old.samples), cell(*c.def, c.now, diff.now.samples),
         change_text(c)});
  return table;
}

std::string label(const DigestNode& node) { return node.name.empty() ? node.output : node.name; }

DiffTable nodes_table(const ReportDiff& diff) {
  DiffTable table{"nodes that changed form", {{"node", "op", "old", "new", "reason"}}};
  for (const NodeChange& c : diff.nodes)
    table.rows.push_back({label(c.now), c.now.op, c.old.status, c.now.status,
                          with_flags(c.now.status == "float" ? c.now.reason : c.old.reason)});
  return table;
}

DiffTable other_nodes_table(const ReportDiff& diff) {
  DiffTable table{"nodes of one report alone", {{"node", "op", "report", "status"}}};
  for (const DigestNode& n : diff.gone) table.rows.push_back({label(n), n.op, "old", n.status});
  for (const DigestNode& n : diff.added) table.rows.push_back({label(n), n.op, "new", n.status});
  return table;
}

std::string range_text(const DigestValue& v) { return fmt::format("{:.4g}..{:.4g}", *v.lo, *v.hi); }

DiffTable moved_table(const ReportDiff& diff) {
  DiffTable table{"values whose range moved", {{"value", "kind", "old", "new", "moved %"}}};
  for (const ValueChange& c : diff.moved) {
    const double moved = 100 * *c.moved();
    table.rows.push_back({c.now.name, c.now.kind, range_text(c.old), range_text(c.now),
                          std::isfinite(moved) ? fmt::format("{:.2f}", moved) : "had none"});
  }
  return table;
}

std::string type_text(const DigestValue& v) { return v.type.empty() ? "not known" : v.type; }

DiffTable types_table(const ReportDiff& diff) {
  DiffTable table{"values of another type", {{"value", "kind", "old", "new"}}};
  for (const ValueChange& c : diff.retyped)
    table.rows.push_back({c.now.name, c.now.kind, type_text(c.old), type_text(c.now)});
  return table;
}

std::string option_text(const Json& value) {
  if (value.is_null() || (value.is_array() && value.empty())) return "-";
  if (value.is_array() && std::ranges::all_of(value, [](const Json& v) { return v.is_string(); }))
    return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), " "));
  return value.is_string() ? value.get<std::string>() : value.dump();
}

DiffTable options_table(const ReportDiff& diff) {
  DiffTable table{"options", {{"option", "old", "new"}}};
  for (const OptionChange& c : diff.options)
    table.rows.push_back({"--" + c.name, option_text(c.old), option_text(c.now)});
  return table;
}

constexpr std::size_t most_in_markdown = 50;

}  // namespace

std::vector<DiffTable> tables_of(const ReportDiff& diff, std::size_t most) {
  std::vector<DiffTable> tables = {figures_table(diff)};
  for (DiffTable& table : std::vector{nodes_table(diff), other_nodes_table(diff), moved_table(diff),
                                      types_table(diff), options_table(diff)}) {
    if (table.rows.size() == 1) continue;
    if (table.rows.size() > most + 1) {
      table.more = table.rows.size() - most - 1;
      table.rows.resize(most + 1);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::string side_text(const ReportDigest& d) {
  return fmt::format("{} as {} for {}, by {} ({})", d.output.path, d.format, d.target, d.method,
                     d.path);
}

std::string markdown_of(const ReportDiff& diff, const std::vector<JudgedGate>& gates) {
  std::string text = "### Quantization: what changed\n\n";
  text += fmt::format("- old: {}\n- new: {}\n\n", markdown(side_text(diff.old)),
                      markdown(side_text(diff.now)));
  for (const std::string& note : diff.notes) text += fmt::format("> {}\n", markdown(note));
  if (!diff.notes.empty()) text += "\n";
  if (!gates.empty()) text += gates_markdown(gates) + "\n";
  for (const DiffTable& table : tables_of(diff, most_in_markdown)) {
    const std::string body =
        markdown_table(table.rows) +
        (table.more > 0 ? fmt::format("\nand {} more: see --json\n", table.more) : "");
    text +=
        table.title == "figures"
            ? body + "\n"
            : markdown_details(
                  fmt::format("{}: {}", table.title, table.rows.size() - 1 + table.more), body) +
                  "\n";
  }
  return text;
}

}  // namespace intaglio
