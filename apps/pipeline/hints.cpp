#include "apps/pipeline/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/check/summary.h"
#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

// Below, other forms are worth a thought: agreement of classes where there are classes, in percent,
// and the least SQNR of the outputs.
constexpr double enough_agreement = 99.5, enough_db = 50;

// Above, in percent, float layers leave little of the speed that integers give.
constexpr double much_float = 33;

}  // namespace

std::vector<std::string> hints_for(const FormOptions& form, const Plan& plan,
                                   const CheckResult& check, const Evaluation* evaluation,
                                   const KeepSummary* kept) {
  const auto slow = std::ranges::count_if(plan.nodes, [](const NodePlan& n) {
    return n.quantized && (n.op == "Conv" || n.op == "ConvTranspose") &&
           std::ranges::none_of(n.constants,
                                [](const ConstantPlan& c) { return is_half(c.scheme.type); });
  });
  std::vector<std::string> hints;
  if (!form.traits().codes && slow > 0)
    hints.push_back(
        fmt::format("{} convolutions in the form '{}': onnxruntime runs them at 0.13 to 0.5 of "
                    "the speed of float; --format qdq is made for them",
                    slow, form.name()));
  if (form.traits().codes && form.traits().onnx && predicted_gain(check) < 0 &&
      !has_free_axes(check))
    hints.push_back(fmt::format(
        "{:.2f} million products in integers, and {} conversions around them: the result may be "
        "smaller and no faster, or slower, than the float model; measure it where it is to run",
        static_cast<double>(check.integer_macs) / 1e6, check.conversions));
  const double in_float = 100 - integer_share(check).value_or(100);
  if (kept != nullptr && kept->asked.as == KeepAs::floats && in_float > much_float)
    hints.push_back(fmt::format(
        "{:.0f} % of the MACs are float: little speed is left to gain; a looser gate{} leaves more",
        in_float, kept->asked.objective == KeepCost::size ? " or --objective macs" : ""));
  std::optional<double> least;
  if (evaluation != nullptr && evaluation->plan.has(Metric::sqnr))
    for (const OutputDeviation& output : evaluation->outputs)
      if (const auto db = output.deviation.sqnr_db(); db && (!least || *db < *least)) least = db;
  const bool classes_agree = evaluation != nullptr && evaluation->agreement &&
                             evaluation->agreement->percent() >= enough_agreement;
  if (kept == nullptr && form.traits().codes && !classes_agree && least && *least < enough_db)
    hints.push_back(
        fmt::format("SQNR {:.1f} dB: where that is too little, --keep-float auto --min-sqnr DB "
                    "finds the layers "
                    "to keep float, and --format weights rounds weights alone",
                    *least));
  return hints;
}

}  // namespace intaglio
