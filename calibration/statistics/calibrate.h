// Calibration: the model runs over the samples and the values of a plan are measured.
#pragma once

#include "calibration/data/checked_dataset.h"
#include "calibration/statistics/statistics.h"
#include "lib/base/progress.h"
#include "lib/exec/executor.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct ObserveOptions {
  bool histograms = false;  // for the methods that need them; min and max cost less without
  std::size_t threads = 1;
  Progress progress;
};

// Runs every sample of the data set through the executor, one sample per thread at a time, and
// observes the activations of the plan and the outputs that feed its state inputs; samples with
// states of zeros run on with what the model makes of them (state_inputs.h). Nothing of a sample is
// kept but its statistics, so memory does not grow with the number of samples. The result does not
// depend on threads. Throws Code::data when too many samples are bad (CheckedDataset),
// Code::interrupted after an interrupt.
Observations calibrate(const Executor& executor, const Plan& plan, CheckedDataset& data,
                       const ObserveOptions& options = {});

// Compile options under which the executor shows its tap what calibrate() measures and nothing
// else.
CompileOptions observe_only(const Graph& graph, const Plan& plan);

}  // namespace intaglio
