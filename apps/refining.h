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

struct Refined {
  Model model;  // the prepared one, refined
  Json json;    // the "refine" part of a report
};

// Takes up to 20 samples of the data, as far as they fit into memory. Without data nothing is
// refined, and a warning says so. What is found stands in the plan too.
Refined refine(const Prepared& prepared, Plan& plan, const RefineOptions& options,
               const DataOptions& data, const PreprocessRecipe& recipe, Context& context,
               std::vector<std::string>& warnings);

}  // namespace intaglio
