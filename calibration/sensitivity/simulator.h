// The simulator: how far variants of one network are from the float one, all of them in one go.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "calibration/sensitivity/variant.h"
#include "lib/base/progress.h"
#include "lib/eval/metrics.h"
#include "lib/exec/executor.h"
#include "lib/exec/samples.h"
#include "lib/graph/model.h"

namespace intaglio {

// Of one variant, over samples.
struct Noise {
  std::vector<Deviation> outputs;  // by graph output; those that are not float count nothing
  std::size_t samples = 0;
  std::size_t positions = 0, same = 0;  // of the first output; same: its best class stayed it

  std::optional<double> sqnr_db() const;  // of the worst output; nullopt: none has noise
  double relative() const;                // sum over the outputs of sum (x-y)^2 / sum x^2
  double agreement() const {
    return positions == 0 ? 100
                          : 100.0 * static_cast<double>(same) / static_cast<double>(positions);
  }
  void merge(const Noise& other);
};

struct SimulatorOptions {
  std::size_t threads = 1;
  Progress progress = {};  // by sample
};

class Simulator {
 public:
  // reference: the float network. coded: the same graph whose weights and biases are those of the
  // plan. Both must outlive it.
  Simulator(const Graph& reference, const Graph& coded);

  const Executor& reference() const { return float_; }
  const Program& program() const { return float_.program(); }

  // Every sample runs through `base` once; a variant starts where it first differs from it, on the
  // values that base has there. Memory: what is alive at one step, twice for each thread. Returns
  // the noise of base, and behind it that of each variant; it does not depend on threads. Throws
  // Code::data when no sample can be loaded.
  std::vector<Noise> measure(const Variant& base, std::span<const Variant> variants,
                             const Samples& samples, const SimulatorOptions& options) const;

 private:
  using Constants = std::vector<const Tensor*>;  // by slot; null: no constant
  static Constants constants_of(const Program& program);
  void step(Stepper& run, const Variant& variant, std::size_t s) const;
  std::vector<Tensor> finish(Stepper run, const Variant& variant, std::size_t from) const;
  std::vector<Noise> measure_one(const std::vector<Tensor>& feeds, const Variant& base,
                                 std::span<const Variant> variants,
                                 const std::vector<std::vector<std::size_t>>& starts) const;

  Executor float_, coded_;
  Constants float_constants_, coded_constants_;
};

}  // namespace intaglio
