// compare: one pass over the data, then every method side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/decide.h"
#include "apps/pipeline/evaluate.h"
#include "apps/pipeline/metrics.h"
#include "apps/pipeline/objective.h"
#include "apps/pipeline/session.h"
#include "apps/pipeline/split.h"

namespace intaglio {

struct CompareSpec {
  std::string model, output, calibration;  // files; output empty: nothing is written
  DataOptions data;
  std::vector<std::string> eval_data;     // empty: samples of the data are held out
  std::optional<std::size_t> eval_limit;  // at most so many, spread evenly
  std::vector<std::string> methods;       // empty: all of them
  QuantOptions quant;
  RefineOptions refine;
  MetricOptions metric;
  std::string objective;  // empty: what suits the outputs
  Arithmetic exact = Arithmetic::integer;
};

struct Compared {
  Method method;
  Quantized quantized;
  RefineSummary refined;
  Measured measured;
  std::uint64_t bytes = 0;  // of the model as a file
};

struct CompareResult {
  Session session;
  Observed observed;
  DataSummary evaluation_data;
  EvalSource evaluation_source;
  std::vector<Compared> methods;
  std::string objective;
  Best best;                        // of the methods
  std::optional<SavedFile> output;  // the best model
  std::vector<std::string> warnings;

  const Compared& chosen() const { return methods[best.index]; }
};

// Throws Code::usage for options that contradict each other, before anything is read.
void require_consistent(const CompareSpec& spec);

CompareResult compare(const CompareSpec& spec, Context& context);

}  // namespace intaglio
