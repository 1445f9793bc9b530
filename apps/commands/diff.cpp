// intaglio diff OLD NEW: what changed between two reports of quantize.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/evaluation_text.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/options/group.h"
#include "apps/options/junit.h"
#include "apps/report/diff_tables.h"
#include "apps/report/junit.h"
#include "apps/report/report.h"

namespace intaglio {
namespace {

struct DiffOptions {
  std::string old, now, markdown, junit;
  DiffGates gates;
  std::size_t rows = 20;
  bool json = false;
};

void print_diff(const ReportDiff& diff, const std::vector<JudgedGate>& gates, std::size_t most) {
  print_out("old: {}\nnew: {}\n", side_text(diff.old), side_text(diff.now));
  for (const std::string& note : diff.notes) print_out("note: {}\n", note);
  for (const DiffTable& table : tables_of(diff, most)) {
    print_out("\n");
    if (table.title != "figures") print_out("{}:\n", table.title);
    print_table(table.rows);
    if (table.more > 0) print_out("and {} more: --top, --json\n", table.more);
  }
  if (diff.nodes.empty()) print_out("\nno node changed form\n");
  if (diff.moved.empty()) print_out("no range moved, of {} values\n", diff.values);
  if (!gates.empty()) print_out("\n");
  print_gates(gates);
}

TestSuite test_suite(const DiffOptions& o, const std::vector<JudgedGate>& gates) {
  return {"intaglio diff", {{"old", o.old}, {"new", o.now}}, test_cases(gates)};
}

void diff_command(const DiffOptions& o, Context& context) {
  require_gates(o.junit, !o.gates.limits.empty(),
                "Set one, such as --max-agreement-drop 1, or leave --junit out.");
  Outputs& outputs = context.outputs;
  outputs.declare("--markdown", o.markdown);
  outputs.declare("--junit", o.junit);
  outputs.keep("OLD", o.old);
  outputs.keep("NEW", o.now);
  outputs.require_writable();
  const ReportDiff found =
      context.phase("diff", [&] { return diff(read_digest(o.old), read_digest(o.now)); });
  const std::vector<JudgedGate> gates = o.gates.judge(found);
  if (!o.markdown.empty()) outputs.write(o.markdown, markdown_of(found, gates));
  outputs.write(o.junit, junit_text(test_suite(o, gates)));
  outputs.commit();
  if (o.json)
    put_out(to_text(to_json(found, gates)));
  else
    print_diff(found, gates, o.rows);
  require_held(gates, "The tables say which nodes, ranges and options changed.");
}

void add_gates(CLI::App& command, DiffGates& gates) {
  begin_group(command, group::gates);
  for (const FigureDef& def : figure_defs())
    command
        .add_option_function<double>(
            fmt::format("--{}", def.gate),
            [&gates, &def](double limit) { gates.limits[def.gate] = limit; },
            fmt::format("Exit 8 when {}", def.help))
        ->check([](const std::string& text) {
          const bool limit = std::isfinite(std::strtod(text.c_str(), nullptr));
          return limit ? std::string() : text + " is no limit";
        })
        ->type_name(std::string(def.unit));
}

}  // namespace

void add_diff(CLI::App& root, CommandLine& line) {
  const auto o = std::make_shared<DiffOptions>();
  CLI::App* command =
      root.add_subcommand("diff", "Say what changed between two reports of quantize");
  command->add_option("OLD", o->old, "The report (.json) of before")->required();
  command->add_option("NEW", o->now, "The report of now")->required();
  add_gates(*command, o->gates);
  add_junit_option(*command, o->junit);
  begin_group(*command, group::outputs);
  command->add_option("--top", o->rows, "Rows of each table")->capture_default_str();
  command
      ->add_option("--markdown", o->markdown,
                   "The tables as Markdown, for pull requests and job summaries")
      ->type_name("FILE.md");
  command->add_flag("--json", o->json, "One JSON document on stdout");
  command->footer(
      "Examples:\n"
      "  intaglio diff old.json new.json\n"
      "  intaglio diff old.json new.json --max-agreement-drop 1 --max-size-growth 2 --markdown "
      "changes.md");
  command->callback([o, &line] { line.action = [o, &line] { diff_command(*o, line.context); }; });
}

}  // namespace intaglio
