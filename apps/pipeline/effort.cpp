#include "apps/pipeline/effort.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/pipeline/evaluate.h"

namespace intaglio {
namespace {

constexpr std::size_t every = 5;         // that many samples have one that is held out
constexpr std::size_t too_few = 10;      // samples to hold some out
constexpr std::size_t most_judged = 32;  // of those held out

// Noise over signal, summed over the outputs; of boxes whose number varies: what F1 lacks to 1.
double noise_of(const Evaluation& e) {
  if (e.outputs.empty()) return e.boxes ? 1 - e.boxes->f1().value_or(1) : 0;
  double sum = 0;
  for (const OutputDeviation& output : e.outputs)
    if (const Deviation& d = output.deviation; d.xx > 0) sum += d.dd / d.xx;
  return sum;
}

std::optional<double> decibels_of(double noise) {
  return noise > 0 ? std::optional(-10 * std::log10(noise)) : std::nullopt;
}

Quantized quantized_of(const Ground& ground, const Decided& decided, Context& context) {
  return write_quantized(ground.prepared, decided.refined.model.clone(), decided.plan,
                         ground.quant.form, ground.target, context);
}

Decided refined(const Ground& ground, const Plan& plan, const RefineSteps& steps,
                const Samples& samples, Context& context) {
  Decided decided{plan, {}};
  decided.refined = refine(ground.prepared, decided.plan, steps, &samples, context);
  return decided;
}

}  // namespace

Decided better_effort(const Ground& ground, const Plan& plan, Context& context,
                      std::vector<std::string>& warnings) {
  const RefiningData data(ground.data, ground.recipe, ground.prepared.model);
  const Samples all = data.samples();
  if (all.count < too_few) {
    Decided best = refined(ground, plan, ground.refine, all, context);
    best.refined.summary.compared = EffortComparison{};
    const std::string untested = fmt::format(
        "--effort best: of {} samples none can be held out: nobody has seen whether it is better "
        "than balanced on others",
        all.count);
    if (std::ranges::find(warnings, untested) == warnings.end()) warnings.push_back(untested);
    return best;
  }
  RefineSteps balanced = ground.refine;
  balanced.rounding = false;
  const Samples seen = without_every(all, every),
                unseen = spread(every_nth(all, every), most_judged);
  std::array decided = {refined(ground, plan, balanced, seen, context),
                        refined(ground, plan, ground.refine, seen, context)};
  const std::array quantized = {quantized_of(ground, decided[0], context),
                                quantized_of(ground, decided[1], context)};
  const std::vector<Measured> measured = context.phase("effort", [&] {
    return measure(ground.prepared, std::array<const Quantized*, 2>{&quantized[0], &quantized[1]},
                   unseen, {.metrics = {}, .values = false}, context);
  });
  const double by_balanced = noise_of(measured[0].evaluation),
               by_best = noise_of(measured[1].evaluation);
  const bool better = by_best < by_balanced;
  Decided taken = std::move(decided[better ? 1 : 0]);
  taken.refined.summary.compared = EffortComparison{better, measured[0].evaluation.samples,
                                                    decibels_of(by_best), decibels_of(by_balanced)};
  return taken;
}

}  // namespace intaglio
