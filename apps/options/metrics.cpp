#include "apps/options/metrics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "apps/options/group.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

std::string known_metrics() {
  std::vector<std::string_view> names;
  for (const MetricDef& def : all_metrics()) names.push_back(def.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string known_decoders() {
  std::vector<std::string_view> names = {any_decoder};
  for (const DecoderDef& def : decoders()) names.push_back(def.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void add_metric_options(CLI::App& command, MetricOptions& o) {
  begin_group(command, group::comparison);
  command
      .add_option(
          "--metric", o.metrics,
          "Compare by this, repeatable: " + known_metrics() + " (default: what suits the outputs)")
      ->type_name("NAME");
  command
      .add_option("--decoder", o.decoder, "How boxes are read off the outputs: " + known_decoders())
      ->type_name("NAME")
      ->capture_default_str();
  command.add_option("--score-threshold", o.detect.score, "Boxes with lower scores do not count")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--nms-iou", o.detect.nms, "Overlap beyond which the lesser of two boxes goes")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--ctc-blank", o.blank, "Class that stands for the blank; -1 is the last one")
      ->type_name("INDEX")
      ->capture_default_str();
}

}  // namespace intaglio
