#include "calibration/sensitivity/simulator.h"

#include <algorithm>
#include <cmath>

#include "calibration/refine/channel_sums.h"
#include "lib/base/parallel.h"
#include "lib/eval/positions.h"

namespace intaglio {
namespace {

Noise noise_of(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual) {
  Noise noise;
  noise.outputs.resize(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (expected[i].dtype() == DType::f32 && expected[i].size() == actual[i].size())
      noise.outputs[i].add(expected[i].data<float>(), actual[i].data<float>());
  noise.samples = 1;
  const auto classified = [](const std::vector<Tensor>& outputs) {
    return !outputs.empty() && outputs[0].dtype() == DType::f32 && outputs[0].size() > 0;
  };
  if (!classified(expected) || !classified(actual)) return noise;
  const auto x = best_by_position(expected[0], 1), y = best_by_position(actual[0], 1);
  noise.positions = std::max(x.size(), y.size());
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) noise.same += x[i] == y[i];
  return noise;
}

}  // namespace

std::optional<double> Noise::sqnr_db() const {
  std::optional<double> worst;
  for (const Deviation& output : outputs)
    if (const auto db = output.sqnr_db(); db && (!worst || *db < *worst)) worst = db;
  return worst;
}

double Noise::relative() const {
  double sum = 0;
  for (const Deviation& output : outputs)
    if (output.xx > 0) sum += output.dd / output.xx;
  return sum;
}

void Noise::merge(const Noise& other) {
  if (outputs.empty()) outputs.resize(other.outputs.size());
  for (std::size_t i = 0; i < other.outputs.size(); ++i) outputs[i].merge(other.outputs[i]);
  samples += other.samples;
  positions += other.positions;
  same += other.same;
}

Simulator::Simulator(const Graph& reference, const Graph& coded)
    : float_(reference),
      coded_(coded),
      float_constants_(constants_of(float_.program())),
      coded_constants_(constants_of(coded_.program())) {}

Simulator::Constants Simulator::constants_of(const Program& program) {
  Constants constants(program.values.size());
  for (const auto& [slot, tensor] : program.constants)
    constants[static_cast<std::size_t>(slot)] = &tensor;
  return constants;
}

void Simulator::step(Stepper& run, const Variant& variant, std::size_t s) const {
  const Step& step = (variant.codes[s] ? coded_ : float_).program().steps[s];
  const Constants& constants = variant.codes[s] ? coded_constants_ : float_constants_;
  std::vector<std::pair<int, Tensor>> kept;  // what other steps read as floats
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const int slot = step.inputs[i];
    if (slot < 0) continue;
    if (const Tensor* constant = constants[static_cast<std::size_t>(slot)])
      run.value(slot) = *constant;
    const ActivationPlan* plan = variant.read[s][i];
    const bool done =
        std::any_of(kept.begin(), kept.end(), [&](const auto& k) { return k.first == slot; });
    if (plan == nullptr || done) continue;
    kept.emplace_back(slot, run.value(slot));
    round_to_codes(run.value(slot), plan->params, plan->scheme);
  }
  run.run(step);
  for (auto& [slot, tensor] : kept) run.value(slot) = std::move(tensor);
  for (const int slot : step.outputs)
    if (slot >= 0)
      if (const ActivationPlan* plan = variant.made[static_cast<std::size_t>(slot)])
        round_to_codes(run.value(slot), plan->params, plan->scheme);
  run.forget(step);
}

std::vector<Tensor> Simulator::finish(Stepper run, const Variant& variant, std::size_t from) const {
  for (std::size_t s = from; s < program().steps.size(); ++s) step(run, variant, s);
  std::vector<Tensor> outputs;
  for (const int slot : program().outputs) outputs.push_back(to_row_major(run.value(slot)));
  return outputs;
}

std::vector<Noise> Simulator::measure_one(
    const std::vector<Tensor>& feeds, const Variant& base, std::span<const Variant> variants,
    const std::vector<std::vector<std::size_t>>& starts) const {
  const std::vector<Tensor> expected = finish({float_, feeds}, Variant(program()), 0);
  std::vector<Noise> noises(1 + variants.size());
  Stepper run(float_, feeds);
  for (std::size_t s = 0; s < program().steps.size(); ++s) {
    for (const std::size_t v : starts[s])
      noises[1 + v] = noise_of(expected, finish(run, variants[v], s));
    step(run, base, s);
  }
  noises[0] = noise_of(expected, finish(run, base, program().steps.size()));
  for (const std::size_t v : starts.back()) noises[1 + v] = noises[0];
  return noises;
}

std::vector<Noise> Simulator::measure(const Variant& base, std::span<const Variant> variants,
                                      const Samples& samples,
                                      const SimulatorOptions& options) const {
  std::vector<std::vector<std::size_t>> starts(program().steps.size() + 1);
  for (std::size_t v = 0; v < variants.size(); ++v)
    starts[first_difference(program(), base, variants[v])].push_back(v);
  std::vector<Noise> sums(1 + variants.size());
  const auto measure_sample = [&](std::size_t i) {
    const auto feeds = samples.load(i);
    return feeds ? measure_one(*feeds, base, variants, starts) : std::vector<Noise>();
  };
  parallel_in_order(samples.count, options.threads, measure_sample,
                    [&](std::size_t i, const std::vector<Noise>& sample) {
                      for (std::size_t v = 0; v < sample.size(); ++v) sums[v].merge(sample[v]);
                      if (options.progress) options.progress(i + 1, samples.count);
                    });
  if (sums[0].samples == 0) throw none_loaded(samples);
  return sums;
}

}  // namespace intaglio
