// intaglio calibrate MODEL --data DIR -o STATS: statistics only, to select from later, or to merge.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "apps/observing.h"
#include "apps/quant_options.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct CalibrateOptions {
  std::string model, output, shard, like;
  DataOptions data;
  QuantOptions quant;
  RefineOptions refine;
  bool json = false;
};

void calibrate_command(const CalibrateOptions& o, Context& context) {
  DataOptions data = o.data;
  if (!o.shard.empty()) data.shard = parse_shard(o.shard);
  const std::string output =
      o.output.empty() ? std::filesystem::path(o.model).stem().string() + ".statistics" : o.output;
  const Target target = effective_target(o.quant);
  if (!o.quant.form.calibrated())
    throw Error(Code::usage, fmt::format("--format {} needs no calibration", o.quant.form.format),
                "Run 'intaglio quantize' without data.");
  require_outputs(o.model, {output});
  Prepared prepared = load_prepared(o.model, target, context);
  Plan plan = draft_for(o.quant.form, prepared.model.graph(), target, o.quant.selection);
  std::vector<std::string> warnings;
  const Observed observed =
      observe(prepared, plan, data,
              {.refine = refine_steps(o.refine),
               .redraft = redraft_for(o.quant.form, target, o.quant.selection),
               .like = o.like},
              context, warnings);
  const std::string bytes = to_bytes(observed.statistics);
  write_file(output, bytes);
  for (const std::string& warning : warnings) log::warn("{}", warning);
  const Observations& seen = observed.statistics.observations;
  if (!o.json) {
    fmt::print("{}: {} values of {} samples, {}\n", output, seen.values.size(), seen.samples,
               human_bytes(bytes.size()));
    return;
  }
  fmt::print("{}",
             to_text({{"schema", "intaglio.calibration/1"},
                      {"command", "calibrate"},
                      {"model", prepared.source},
                      {"output", {{"path", output}, {"bytes", bytes.size()}}},
                      {"data", observed.data},
                      {"values", seen.values.size()},
                      {"warnings", warnings},
                      {"run", context.run_json(seen.samples, context.seconds_of("calibrate"))}}));
}

}  // namespace

void add_calibrate(CLI::App& root, Context& context) {
  const auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command =
      root.add_subcommand("calibrate", "Measure statistics, to select ranges from later");
  command->add_option("MODEL", options->model, "The FP32 model")->required();
  command
      ->add_option("-o,--output", options->output,
                   "The file of statistics (default: NAME.statistics here)")
      ->type_name("STATS");
  command
      ->add_option("--shard", options->shard,
                   "Take every N-th sample, starting at I (1..N); see merge")
      ->type_name("I/N");
  command
      ->add_option("--like", options->like,
                   "Equalize channels as for this file, so that both can be merged")
      ->type_name("STATS")
      ->check(CLI::ExistingFile);
  command->add_flag("--json", options->json, "One JSON document on stdout");
  add_data_options(*command, options->data, /*required=*/true);
  add_quant_options(*command, options->quant);
  add_refine_options(*command, options->refine);
  command->footer(
      "Examples:\n"
      "  intaglio calibrate model.onnx --data images/ -o model.statistics\n"
      "  intaglio calibrate model.onnx --data images/ --shard 2/4 -o part2.statistics");
  command->callback([options, &context] {
    context.action = [options, &context] { calibrate_command(*options, context); };
  });
}

}  // namespace intaglio
