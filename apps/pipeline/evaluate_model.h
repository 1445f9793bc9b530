// evaluate: accuracy on labels, agreement with a float reference, or both, of any model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/gates.h"
#include "apps/pipeline/metrics.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/shown.h"

namespace intaglio {

struct EvaluateSpec {
  std::string model, reference;  // reference empty: there is none
  Arithmetic exact = Arithmetic::integer;
  DataOptions data;
  MetricOptions metric;
  Gates gates;            // that will be judged: their metrics are measured
  bool pictures = false;  // of the worst samples
};

struct EvaluateResult {
  SourceFile model;
  std::optional<SourceFile> reference;
  DataSummary data;
  std::optional<ExecutionSummary> execution;
  Evaluation evaluation;
  Shown shown;  // where pictures were asked for
  std::vector<std::string> warnings;
};

// Throws Code::usage where there is nothing to compare with, or a gate cannot be measured.
void require_consistent(const EvaluateSpec& spec);

EvaluateResult evaluate_model(const EvaluateSpec& spec, Context& context);

}  // namespace intaglio
