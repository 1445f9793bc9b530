#include "calibration/refine/bias_correction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/refine/channel_sums.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// By the activation that alone reads the result.
Weighing weighing_of(const Value& result) {
  Weighing all{-infinity, infinity, 1};
  if (result.is_output() || result.uses().size() != 1) return all;
  const Node& reader = *result.uses().front().node;
  const OpTraits& traits = traits_of(reader);
  if (traits.slope_below_zero != nullptr) {
    const float slope = traits.slope_below_zero(reader);
    return {0, infinity, std::max(0.05f, slope * slope)};
  }
  // Most positions of a detector are background, far below 0: they must not outvote the others.
  if (traits.rises_within > 0) return {-traits.rises_within, traits.rises_within, 0};
  if (!traits.clips) return all;
  const Bound active = bound_of_readers(result);
  return {active.lo, active.hi, 0.05f};
}

// The mean error of one channel, as far as the samples agree on it.
double agreed_mean(const std::vector<ChannelSums>& sums, std::size_t c) {
  double shift = 0, weight = 0, spread = 0;
  for (const ChannelSums& s : sums)
    shift += s.shift[c], weight += s.weight[c];  // in the order of the samples
  if (!(weight > 0)) return 0;
  const double mean = shift / weight;
  for (const ChannelSums& s : sums)
    spread += std::pow((s.shift[c] - mean * s.weight[c]) / weight, 2);
  const auto n = static_cast<double>(sums.size());
  const double doubt = n > 1 ? spread * n / (n - 1) : 0;  // the squared standard error
  return mean == 0 ? 0 : mean * (mean * mean / (mean * mean + doubt));
}

std::vector<float> mean_errors(Lockstep& pair, int slot, const Weighing& m) {
  std::vector<ChannelSums> sums(pair.samples());
  pair.each_sample([&](std::size_t i) {
    sums[i] = channel_sums(pair.reference(i, slot), pair.twin(i, slot), m);
  });
  std::vector<float> means;
  for (std::size_t c = 0; c < sums.front().shift.size(); ++c)
    means.push_back(static_cast<float>(agreed_mean(sums, c)));
  return means;
}

}  // namespace

void correct_bias(Lockstep& pair, std::size_t s, NodePlan& plan, BiasCorrection& result) {
  const Step& step = pair.step(s);
  if (!plan.quantized || !plan.bias || step.outputs.empty() || step.outputs[0] < 0) return;
  const Value* bias = step.node->input(plan.bias->input);
  if (bias->uses().size() != 1 || bias->is_output()) {
    result.left_out.push_back(
        fmt::format("{}: its bias serves other nodes too", step.node->label()));
    return;
  }
  const Tensor& first = pair.reference(0, step.outputs[0]);
  if (first.rank() < 2 || first.dtype() != DType::f32) return;
  auto shift = mean_errors(pair, step.outputs[0], weighing_of(*step.node->output(0)));
  if (!std::all_of(shift.begin(), shift.end(), [](float v) { return std::isfinite(v); })) {
    result.left_out.push_back(
        fmt::format("{}: its result holds NaN or infinities", step.node->label()));
    return;
  }
  pair.shift(s, shift);
  plan.bias->shift = std::move(shift);
  ++result.corrected;
}

void apply_shifts(Model& model, const Plan& plan) {
  for (const NodePlan& node : plan.nodes) {
    if (!node.bias || node.bias->shift.empty()) continue;
    Value* bias = model.graph().find(node.bias->name);
    if (bias == nullptr ||
        bias->constant().size() != static_cast<std::int64_t>(node.bias->shift.size()))
      throw Error(Code::config,
                  fmt::format("the plan shifts {} elements of bias '{}', which it does not have",
                              node.bias->shift.size(), node.bias->name),
                  "Use the model that the plan was made for.");
    Tensor shifted = bias->constant();
    const auto values = shifted.mutate<float>();
    for (std::size_t c = 0; c < values.size(); ++c) values[c] += node.bias->shift[c];
    bias->set_constant(std::move(shifted));
  }
}

}  // namespace intaglio
