// intaglio preview MODEL --data DIR -o PAGE: what the network sees, as pictures, and what it
// answers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/options/data.h"
#include "apps/options/exact.h"
#include "apps/options/metrics.h"
#include "apps/pipeline/preview.h"
#include "apps/report/html/preview_page.h"
#include "apps/report/report.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

struct PreviewCommand {
  PreviewSpec spec;
  std::string output = "preview.html";
  bool json = false;
};

void preview_command(const PreviewCommand& o, Context& context) {
  Outputs& outputs = context.outputs;
  outputs.declare("--output", o.output);
  outputs.keep("MODEL", o.spec.model);
  keep_data(outputs, o.spec.data);
  outputs.require_writable();
  const PreviewResult result = preview(o.spec, context);
  for (const std::string& warning : result.warnings) log::warn("{}", warning);
  outputs.write(o.output, html::preview_page(result));
  outputs.commit();
  if (o.json)
    return put_out(to_text({{"schema", "intaglio.preview/1"},
                            {"command", "preview"},
                            {"output", {{"path", o.output}}},
                            {"samples", result.shown.samples.size()},
                            {"warnings", result.warnings}}));
  print_out("{}: {} samples as the network sees them\n", o.output, result.shown.samples.size());
}

}  // namespace

void add_preview(CLI::App& root, CommandLine& line) {
  const auto o = std::make_shared<PreviewCommand>();
  o->spec.data.limit = 24;
  CLI::App* command =
      root.add_subcommand("preview", "Show what a model sees of the data, and what it answers");
  command->add_option("MODEL", o->spec.model, "A float or quantized model")->required();
  command->add_option("-o,--output", o->output, "The page")
      ->type_name("FILE.html")
      ->capture_default_str();
  command->add_flag("--json", o->json, "One JSON document on stdout");
  add_data_options(*command, o->spec.data, /*required=*/true);
  add_label_options(*command, o->spec.data);
  add_name_options(*command, o->spec.data);
  add_exact_option(*command, o->spec.exact);
  add_metric_options(*command, o->spec.metric);
  command->footer(
      "Examples:\n"
      "  intaglio preview model.onnx --data images/ --preprocess imagenet --classes classes.txt\n"
      "  intaglio preview yolox.onnx --data street/ --preprocess detector -o page.html");
  command->callback(
      [o, &line] { line.action = [o, &line] { preview_command(*o, line.context); }; });
}

}  // namespace intaglio
