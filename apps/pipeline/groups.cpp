#include "apps/pipeline/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/memory.h"

namespace intaglio {
namespace {

GroupLayout layout_of(const FormTraits& form) {
  return form.always_groups ? GroupLayout::outputs_first : GroupLayout::inputs_first;
}

}  // namespace

GroupRounding rounding_of(Effort effort) {
  switch (effort) {
    case Effort::fast:
      return GroupRounding::nearest;
    case Effort::balanced:
      return GroupRounding::range_search;
    case Effort::best:
      return GroupRounding::gptq;
  }
  return GroupRounding::range_search;
}

QuantizedGroups quantize_groups_of(Plan& plan, const Prepared& prepared, const FormOptions& form,
                                   const GroupChoice& choice, const DataOptions& data,
                                   const PreprocessRecipe& recipe, Context& context,
                                   std::vector<std::string>& warnings) {
  GroupOptions options{.rounding = rounding_of(choice.effort),
                       .layout = layout_of(form.traits()),
                       .threads = context.worker_count(),
                       .moment_bytes = memory_limit() / 8,
                       .data_file = choice.data_file};
  std::optional<RefiningData> set;
  Samples samples;
  if (!data.data.empty() && options.rounding != GroupRounding::nearest) {
    set.emplace(data, recipe, prepared.model);
    samples = set->samples();
    options.samples = &samples;
  }
  GroupSummary summary = context.phase("round", [&] {
    options.progress = context.progress("round");
    return quantize_weights(plan, prepared.model.graph(), options);
  });
  std::optional<DataSummary> seen;
  if (set) set->finish(warnings), seen = set->summary(options.threads);
  if (choice.effort == Effort::best && !summary.weighted)
    warnings.emplace_back(
        "--effort best: without --data nothing is known of what weights are multiplied with; "
        "their ranges were chosen by the error of the weights alone");
  if (!summary.unweighted.empty())
    warnings.push_back(fmt::format(
        "{} weights were never multiplied while the samples ran, such as that of '{}': their "
        "ranges were chosen by the error of the weights alone",
        summary.unweighted.size(), summary.unweighted.front()));
  return {std::move(summary), std::move(seen)};
}

}  // namespace intaglio
