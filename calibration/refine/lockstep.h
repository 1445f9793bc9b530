// Lockstep: the float network and its quantized twin, taken through the graph side by side.
//
//   Lockstep pair(model, plan, samples, options);
//   pair.run([&](std::size_t s) { ... before step s ... },
//            [&](std::size_t s) { ... behind it ... });
//
// The twin has weights and activations rounded to their codes. Its weights can be replaced before a
// step, its results shifted behind it; later steps, and samples that join later, see that.
//
// Memory is bounded: samples join as soon as what is alive in the rest of the graph lets them, so
// that wide layers, which have many positions, see few samples and narrow ones see many. Each
// sample runs through every step once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "calibration/refine/channel_statistics.h"
#include "lib/base/progress.h"
#include "lib/exec/executor.h"
#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct LockstepOptions {
  std::uint64_t memory = std::uint64_t{24} << 20;  // for values of both networks, in bytes
  std::size_t most_samples = 20;
  std::size_t threads = 1;
  Progress progress = {};  // by step of the network
};

class Lockstep {
 public:
  // Throws Code::data when no sample can be loaded.
  Lockstep(const Model& model, const Plan& plan, const Samples& samples,
           const LockstepOptions& options);

  using Visit = std::function<void(std::size_t step)>;
  void run(const Visit& before, const Visit& behind);

  const Step& step(std::size_t s) const { return reference_.program().steps[s]; }
  std::size_t threads() const { return options_.threads; }

  // The samples that take part in the current step, in an order that does not depend on threads.
  std::size_t samples() const { return runs_.size(); }
  // Calls f(sample) for each, on several threads.
  void each_sample(const std::function<void(std::size_t)>& f);
  const Tensor& reference(std::size_t sample, int slot) {
    return runs_[sample]->reference.value(slot);
  }
  const Tensor& twin(std::size_t sample, int slot) { return runs_[sample]->twin.value(slot); }

  // Of the twin: another constant for an input of a step, before it; another mean for each channel
  // (axis 1) of its first result, behind it.
  void replace(std::size_t step, std::size_t input, Tensor constant);
  void shift(std::size_t step, std::vector<float> by_channel);

 private:
  struct Run {
    Stepper reference, twin;
  };
  void probe();
  std::optional<std::vector<Tensor>> load_next();
  void admit(std::size_t step);
  std::unique_ptr<Run> start(const std::vector<Tensor>& feeds);
  void compute(Run& run, std::size_t step) const;
  void finish(Run& run, std::size_t step) const;
  void round(Run& run, int slot) const;

  Model twin_;
  const Samples& samples_;
  const LockstepOptions options_;
  Executor reference_, quantized_;
  std::unordered_map<std::string, const ActivationPlan*> activations_;
  std::vector<std::size_t> capacity_;  // samples that may take part, by step
  std::vector<std::vector<float>> shifts_;
  std::vector<std::size_t> order_;  // of the samples; next_ of them were tried
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace intaglio
