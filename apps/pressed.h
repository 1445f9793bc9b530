// A model that was pressed: from a plan with numbers to a verified model, and how far it is from
// its original.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/prepared.h"
#include "apps/quant_options.h"
#include "lib/eval/evaluate.h"

namespace intaglio {

struct Pressed {
  Plan plan;
  Model model;
  Written written;
  Json interface;  // the "interface" part of a report
};

// Rewrites `model`, the prepared one as it is or refined, in the form of the options, and verifies
// that it is valid ONNX. An invalid result is our fault (Code::internal), unless what was given was
// invalid in the first place (Code::model).
Pressed press(const Prepared& prepared, Model model, Plan plan, const FormOptions& form,
              Engine engine, Context& context);

// What the file says of its making: keys "intaglio.*" of its metadata.
void write_metadata(Model& model, const Prepared& prepared, const QuantOptions& options,
                    const std::string& method, const std::optional<PreprocessRecipe>& recipe);

struct Measuring {
  std::string exact = "integer";
  MetricRequest metrics;
  bool values = true;  // inside the graphs too
};

struct Measured {
  Evaluation evaluation;
  Json execution;  // the "execution" part of a report
};

// Evaluates models beside the original, in one pass over the samples. Values inside the graphs are
// compared over the first few samples alone: they hold thousands of numbers each, and everywhere
// else kernels may fuse them away.
std::vector<Measured> measure(const Prepared& prepared, std::span<const Pressed> pressed,
                              const Samples& samples, const Measuring& how, Context& context);

}  // namespace intaglio
