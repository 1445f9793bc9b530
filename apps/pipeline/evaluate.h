// How far quantized models are from their original.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/doubts.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/shown.h"
#include "apps/pipeline/write.h"
#include "lib/eval/evaluate.h"

namespace intaglio {

struct Measuring {
  Arithmetic exact = Arithmetic::integer;
  MetricRequest metrics;
  bool values = true;                           // inside the graphs too
  bool pictures = false;                        // of the worst samples of the first model
  std::optional<PreprocessRecipe> recipe = {};  // of the pictures, settled
  Names names = {};
};

struct Measured {
  Evaluation evaluation;
  std::optional<ExecutionSummary> execution;
  Shown shown = {};  // where pictures were asked for
};

// Evaluates models beside the original, in one pass over the samples. Values inside the graphs are
// compared over the first few samples alone: they hold thousands of numbers each, and everywhere
// else kernels may fuse them away.
std::vector<Measured> measure(const Prepared& prepared, std::span<const Quantized* const> quantized,
                              const Samples& samples, const Measuring& how, Context& context);

}  // namespace intaglio
