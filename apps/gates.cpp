#include "apps/gates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace intaglio {

void Gates::require_measurable(bool has_labels, bool has_reference) const {
  if (any() && !has_reference)
    throw Error(Code::usage, "a gate needs a float model to compare with", "Give --reference FP32.onnx.");
  if (max_top1_drop && !has_labels)
    throw Error(Code::usage, "--max-top1-drop needs labels", "Give --labels FILE.csv.");
}

void Gates::check(const Evaluation& e) const {
  std::vector<std::string> missed;
  for (const OutputDeviation& output : e.outputs) {
    if (!min_sqnr || output.deviation.exact()) continue;
    const double sqnr = output.deviation.sqnr_db().value_or(0);  // noise where there should be no signal
    if (!(sqnr >= *min_sqnr))
      missed.push_back(fmt::format("output '{}' has {:.2f} dB, --min-sqnr asks for {}", output.name, sqnr,
                                   *min_sqnr));
  }
  if (max_top1_drop && e.accuracy && e.reference) {
    const double drop = e.reference->top1 - e.accuracy->top1;
    if (drop > *max_top1_drop)
      missed.push_back(fmt::format("top-1 falls by {:.2f} points, --max-top1-drop allows {}", drop,
                                   *max_top1_drop));
  }
  if (min_agreement && e.agreement && *e.agreement < *min_agreement)
    missed.push_back(fmt::format("{:.2f} % of the samples keep their top class, --min-agreement asks for {}",
                                 *e.agreement, *min_agreement));
  if (!missed.empty())
    throw Error(Code::accuracy, fmt::format("gate missed: {}", fmt::join(missed, "; ")),
                "The outputs were written. See the report for the values with the lowest SQNR.");
}

}  // namespace intaglio
