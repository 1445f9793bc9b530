#include "calibration/refine/bias_correction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "calibration/range_rules.h"
#include "calibration/refine/channel_sums.h"
#include "lib/base/parallel.h"
#include "lib/exec/executor.h"
#include "lib/quant/array.h"

namespace intaglio {
namespace {

// --- The quantized twin
// -------------------------------------------------------------------------------

// The same graph with the weights that their codes stand for.
Model rounded_weights(const Model& model, const Plan& plan) {
  Model twin = model.clone();
  for (const NodePlan& node : plan.nodes) {
    if (!node.quantized) continue;
    for (const ConstantPlan& c : node.constants) {
      Value& value = *twin.graph().find(c.name);
      if (value.uses().size() == 1)
        value.set_constant(dequantize(quantize(value.constant(), c.params, c.scheme), c.params));
    }
  }
  return twin;
}

// --- Means by channel
// ---------------------------------------------------------------------------------

constexpr float infinity = std::numeric_limits<float>::infinity();

// By the activation that alone reads the result.
Weighing weighing_of(const Value& result) {
  Weighing all{-infinity, infinity, 1};
  if (result.is_output() || result.uses().size() != 1) return all;
  const Node& reader = *result.uses().front().node;
  if (reader.is("LeakyRelu")) {
    const float slope = reader.attr_float("alpha", 0.01f);
    return {0, infinity, std::max(0.05f, slope * slope)};
  }
  if (!reader.is("Relu") && !reader.is("Clip")) return all;
  const Bound active = bound_of_readers(result);
  return {active.lo, active.hi, 0.05f};
}

// --- Side by side
// -------------------------------------------------------------------------------------

class SideBySide {
 public:
  SideBySide(const Model& model, Plan& plan, const std::vector<std::vector<Tensor>>& samples,
             const BiasCorrectionOptions& options)
      : model_(model),
        twin_(rounded_weights(model, plan)),
        options_(options),
        reference_(model.graph()),
        quantized_(twin_.graph()) {
    for (const ActivationPlan& a : plan.activations) activations_[a.name] = &a;
    for (NodePlan& n : plan.nodes) nodes_[n.output] = &n;
    for (const std::vector<Tensor>& feeds : samples) {
      float_runs_.emplace_back(reference_, feeds);
      quantized_runs_.emplace_back(quantized_, feeds);
    }
    result_.samples = samples.size();
  }

  BiasCorrection run() {
    for (const int slot : quantized_.program().feeds) round(slot);
    const auto& steps = reference_.program().steps;
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const Step &step = steps[s], &twin = quantized_.program().steps[s];
      each_sample([&](std::size_t i) {
        float_runs_[i].run(step);
        quantized_runs_[i].run(twin);
      });
      correct(step);
      for (const int slot : step.outputs)
        if (slot >= 0) round(slot);
      each_sample([&](std::size_t i) {
        float_runs_[i].forget(step);
        quantized_runs_[i].forget(twin);
      });
    }
    return std::move(result_);
  }

 private:
  template <typename F>
  void each_sample(F f) {
    parallel_for(float_runs_.size(), options_.threads, [&](std::size_t, std::size_t i) { f(i); });
  }

  void round(int slot) {
    const auto it =
        activations_.find(quantized_.program().values[static_cast<std::size_t>(slot)]->name());
    if (it == activations_.end()) return;
    each_sample([&](std::size_t i) {
      round_to_codes(quantized_runs_[i].value(slot), it->second->params, it->second->scheme);
    });
  }

  // Whether the bias may be changed.
  bool is_its_own(const Node& node, const BiasPlan& plan) {
    const Value* bias = model_.graph().find(plan.name);
    if (bias->uses().size() == 1 && !bias->is_output()) return true;
    result_.left_out.push_back(fmt::format("{}: its bias serves other nodes too", node.label()));
    return false;
  }

  void correct(const Step& step) {
    if (step.outputs.empty() || step.outputs[0] < 0) return;
    const int slot = step.outputs[0];
    const auto it = nodes_.find(step.node->output(0)->name());
    if (it == nodes_.end() || !it->second->quantized || !it->second->bias) return;
    BiasPlan& bias = *it->second->bias;
    const Tensor& first = float_runs_.front().value(slot);
    if (!is_its_own(*step.node, bias) || first.rank() < 2 || first.dtype() != DType::f32) return;
    const Weighing m =
        options_.masked ? weighing_of(*step.node->output(0)) : Weighing{-infinity, infinity, 1};
    std::vector<ChannelSums> sums(float_runs_.size());
    each_sample([&](std::size_t i) {
      sums[i] = channel_sums(float_runs_[i].value(slot), quantized_runs_[i].value(slot), m);
    });

    std::vector<float> shift;
    for (std::size_t c = 0; c < sums.front().shift.size(); ++c) {
      double d = 0, weight = 0;
      for (const ChannelSums& s : sums)
        d += s.shift[c], weight += s.weight[c];  // in the order of the samples
      shift.push_back(weight > 0 ? static_cast<float>(d / weight) : 0.0f);
    }
    if (!std::all_of(shift.begin(), shift.end(), [](float v) { return std::isfinite(v); })) {
      result_.left_out.push_back(
          fmt::format("{}: its result holds NaN or infinities", step.node->label()));
      return;
    }
    each_sample([&](std::size_t i) { add_to_channels(quantized_runs_[i].value(slot), shift); });
    bias.shift = std::move(shift);
    ++result_.corrected;
  }

  const Model& model_;
  Model twin_;
  const BiasCorrectionOptions& options_;
  Executor reference_, quantized_;
  std::vector<Stepper> float_runs_, quantized_runs_;
  std::unordered_map<std::string, const ActivationPlan*> activations_;
  std::unordered_map<std::string, NodePlan*> nodes_;
  BiasCorrection result_;
};

}  // namespace

BiasCorrection correct_biases(const Model& model, Plan& plan,
                              const std::vector<std::vector<Tensor>>& samples,
                              const BiasCorrectionOptions& options) {
  return SideBySide(model, plan, samples, options).run();
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

std::size_t samples_that_fit(const Model& model, const std::vector<Tensor>& feeds,
                             std::uint64_t bytes) {
  const Executor executor(model.graph());
  Stepper run(executor, feeds);
  std::vector<std::uint64_t> held(executor.program().values.size(), 0);  // without constants
  const auto hold = [&](int slot) {
    return slot < 0 ? 0 : held[static_cast<std::size_t>(slot)] = run.value(slot).bytes();
  };
  std::uint64_t live = 0, most = 0;
  for (const int slot : executor.program().feeds) live += hold(slot);
  for (const Step& step : executor.program().steps) {
    run.run(step);
    for (const int slot : step.outputs) live += hold(slot);
    most = std::max(most, live);
    for (const int slot : step.dies) live -= held[static_cast<std::size_t>(slot)];
    run.forget(step);
  }
  return std::max<std::size_t>(1, bytes / std::max<std::uint64_t>(2 * most, 1));
}

}  // namespace intaglio
