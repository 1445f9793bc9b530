// The stage between selecting and rewriting: what makes up for quantization in the float model
// itself.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/prepared.h"

namespace intaglio {

struct RefineOptions {
  std::string effort = "balanced";  // fast: nothing; balanced: bias correction
};
void add_refine_options(CLI::App& command, RefineOptions& options);

// Feeds of up to 20 of the samples that the model is calibrated on, spread evenly, as far as they
// fit into memory. Empty when the effort or the plan has no use for them, and, with a warning,
// without data.
using RefineSamples = std::vector<std::vector<Tensor>>;
RefineSamples load_refine_samples(const Prepared& prepared, const Plan& plan,
                                  const RefineOptions& options, const DataOptions& data,
                                  const PreprocessRecipe& recipe, Context& context,
                                  std::vector<std::string>& warnings);

struct Refined {
  Model model;  // the prepared one, refined
  Json json;    // the "refine" part of a report
};

// What is found stands in the plan too; a plan that comes with shifts keeps them. Without samples
// nothing is found.
Refined refine(const Prepared& prepared, Plan& plan, const RefineOptions& options,
               const RefineSamples& samples, Context& context);

}  // namespace intaglio
