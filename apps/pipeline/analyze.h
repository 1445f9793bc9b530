// analyze: what each layer costs, measured one by one.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/session.h"
#include "calibration/sensitivity/sensitivity.h"

namespace intaglio {

struct AnalyzeSpec {
  std::string model, calibration;
  std::string method = "mse";
  DataOptions data;
  QuantOptions quant;
  RefineOptions refine;
  std::size_t samples = 32;  // at most, spread evenly over the data
};

struct AnalyzeResult {
  Session session;
  Method method;
  Observed observed;
  RefineSummary refined;
  Sensitivity sensitivity;
  bool classes = false;  // the first output holds scores of classes
  std::vector<std::string> warnings;
};

// Throws Code::usage for a form without calibrated ranges.
void require_consistent(const AnalyzeSpec& spec);

AnalyzeResult analyze(const AnalyzeSpec& spec, Context& context);

}  // namespace intaglio
