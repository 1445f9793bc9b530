// intaglio calibrate MODEL --data DIR -o STATS: statistics only, to select from later, or to merge.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/options/data.h"
#include "apps/options/group.h"
#include "apps/options/quant.h"
#include "apps/options/refine.h"
#include "apps/pipeline/calibrate.h"
#include "apps/report/report.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

namespace intaglio {
namespace {

struct CalibrateOptions {
  CalibrateSpec spec;
  std::string output, shard;
  bool json = false;
};

void print_document(const CalibrateResult& r, const std::string& output, std::size_t bytes,
                    const Context& context) {
  const Observations& seen = r.observed.statistics.observations;
  print_out("{}",
            to_text({{"schema", "intaglio.calibration/1"},
                     {"command", "calibrate"},
                     {"model", model_json(r.session.prepared.source)},
                     {"output", {{"path", output}, {"bytes", bytes}}},
                     {"data", data_json(r.observed.data)},
                     {"values", seen.values.size()},
                     {"warnings", r.warnings},
                     {"run", run_json(context, seen.samples, context.seconds_of("calibrate"))}}));
}

void calibrate_command(const CalibrateOptions& o, Context& context) {
  CalibrateSpec spec = o.spec;
  if (!o.shard.empty()) spec.data.shard = parse_shard(o.shard);
  const std::string output = o.output.empty()
                                 ? std::filesystem::path(spec.model).stem().string() + ".statistics"
                                 : o.output;
  Outputs& outputs = context.outputs;
  outputs.declare("--output", output);
  outputs.keep("MODEL", spec.model);
  outputs.keep("--like", spec.like);
  keep_data(outputs, spec.data);
  keep_config(outputs, "--target", target_name(spec.quant));
  outputs.require_writable();
  const CalibrateResult result = calibrate(spec, context);
  const std::string bytes = to_bytes(result.observed.statistics);
  outputs.write(output, bytes);
  outputs.commit();
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  if (o.json) return print_document(result, output, bytes.size(), context);
  const Observations& seen = result.observed.statistics.observations;
  print_out("{}: {} values of {} samples, {}\n", output, seen.values.size(), seen.samples,
            human_bytes(bytes.size()));
}

}  // namespace

void add_calibrate(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command =
      root.add_subcommand("calibrate", "Measure statistics, to select ranges from later");
  command->add_option("MODEL", options->spec.model, "The FP32 model")->required();
  begin_group(*command, group::outputs);
  command
      ->add_option("-o,--output", options->output,
                   "The file of statistics (default: NAME.statistics here)")
      ->type_name("STATS");
  begin_group(*command, group::data);
  command
      ->add_option("--shard", options->shard,
                   "Take every N-th sample, starting at I (1..N); see merge")
      ->type_name("I/N");
  begin_group(*command, group::method);
  command
      ->add_option("--like", options->spec.like,
                   "Equalize channels as for this file, so that both can be merged")
      ->type_name("STATS")
      ->check(CLI::ExistingFile);
  begin_group(*command, group::outputs);
  command->add_flag("--json", options->json, "One JSON document on stdout");
  add_data_options(*command, options->spec.data, /*required=*/true);
  add_quant_options(*command, options->spec.quant);
  add_refine_options(*command, options->spec.refine);
  command->footer(
      "Examples:\n"
      "  intaglio calibrate model.onnx --data images/ -o model.statistics\n"
      "  intaglio calibrate model.onnx --data images/ --shard 2/4 -o part2.statistics");
  command->callback([options, &line] {
    line.action = [options, &line] { calibrate_command(*options, line.context); };
  });
}

}  // namespace intaglio
