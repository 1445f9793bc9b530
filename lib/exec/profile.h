// Where the time of a run goes, step by step.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "lib/exec/compile.h"

namespace intaglio {

struct StepProfile {
  const Step* step = nullptr;
  double seconds = 0;  // over all runs
  double flops = 0;    // of one run: 2 for each product and sum of a convolution or matrix product
  Shape output;        // of the first output, in the last run
  Layout layout = Layout::row_major;
};

struct Profile {
  std::int64_t runs = 0;
  std::vector<StepProfile> steps;

  // Called by the executor.
  void begin(const Program& program);
  void end_of(const Step& step, const std::vector<Tensor>& slots);

 private:
  using Clock = std::chrono::steady_clock;
  std::size_t next_ = 0;
  Clock::time_point last_;
};

}  // namespace intaglio
