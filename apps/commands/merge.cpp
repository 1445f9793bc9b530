// intaglio merge STATS... -o STATS: the exact union of statistics.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/options/group.h"
#include "apps/report/report.h"
#include "calibration/statistics/statistics_file.h"
#include "lib/base/memory.h"

namespace intaglio {
namespace {

struct MergeOptions {
  std::vector<std::string> inputs;
  std::string output;
  bool partial = false, json = false;
};

void merge_command(const MergeOptions& o, Context& context) {
  Outputs& outputs = context.outputs;
  outputs.declare("--output", o.output);
  for (const std::string& input : o.inputs) outputs.keep("STATS", input);
  outputs.require_writable();
  std::vector<NamedStatistics> files;
  context.phase("read", [&] {
    for (const std::string& input : o.inputs) files.push_back({input, read_statistics(input)});
  });
  const StatisticsFile all = context.phase("merge", [&] { return merge(files, o.partial); });
  const std::string bytes = to_bytes(all);
  outputs.write(o.output, bytes);
  outputs.commit();
  if (o.json) {
    const Json shards =
        all.shards ? Json{{"of", all.shards->of}, {"have", all.shards->have}} : Json();
    return put_out(to_text({{"schema", "intaglio.merge/1"},
                            {"command", "merge"},
                            {"output", {{"path", o.output}, {"bytes", bytes.size()}}},
                            {"files", o.inputs},
                            {"samples", all.observations.samples},
                            {"shards", shards}}));
  }
  print_out("{}: {} samples from {} files, {}\n", o.output, all.observations.samples,
            o.inputs.size(), human_bytes(bytes.size()));
  if (all.shards) print_out("holds {} of {} shards\n", all.shards->have.size(), all.shards->of);
}

}  // namespace

void add_merge(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<MergeOptions>();
  CLI::App* command = root.add_subcommand("merge", "Join statistics of shards, exactly");
  command->add_option("STATS", options->inputs, "Files of 'intaglio calibrate'")->required();
  begin_group(*command, group::outputs);
  command->add_option("-o,--output", options->output, "The file of statistics to write")
      ->type_name("STATS")
      ->required();
  command->add_flag("--partial", options->partial,
                    "Some shards may be missing: they are merged later");
  command->add_flag("--json", options->json, "One JSON document on stdout");
  command->footer(
      "Examples:\n"
      "  intaglio merge part*.statistics -o model.statistics\n"
      "  intaglio merge host1.statistics host2.statistics --partial -o so_far.statistics");
  command->callback([options, &line] {
    line.action = [options, &line] { merge_command(*options, line.context); };
  });
}

}  // namespace intaglio
