// The refine stage: what is done to model and plan beyond choosing ranges.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/data_options.h"
#include "apps/prepared.h"
#include "calibration/refine/migration.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct RefineOptions {
  std::string effort = "balanced";
  std::vector<std::string> list;  // of steps; empty: those of the effort
};
void add_refine_options(CLI::App& command, RefineOptions& options);

struct RefineSteps {
  bool shift = false, equalization = false, migration = false;  // before statistics are measured
  bool rounding = false, bias = false;                          // after the ranges are chosen
  bool compared = false;  // rounding is taken where it helps on samples that it did not see
};
// Throws Code::usage for a name that is none, with the nearest one.
RefineSteps refine_steps(const RefineOptions& options);

// Rebalances the prepared model, which keeps its original, and notes it in the draft, which is made
// anew where migration changed the graph. Takes up to 128 samples spread over all of the data,
// whatever its shard, so that shards agree. Returns its part of the "refine" part of a report.
Json rebalance(Prepared& prepared, Plan& plan, const RefineSteps& steps, const DataOptions& data,
               const PreprocessRecipe& recipe, const Redraft& redraft, Context& context);

// The same with channels from a plan, which needs no new draft (redraft null), or from a file of
// statistics.
Json rebalance_as(Prepared& prepared, Plan& plan, std::vector<ChannelPlan> channels,
                  const std::string& origin, const Redraft& redraft);

struct Refined {
  Model model;  // the prepared one, refined
  Json json;    // its part of the "refine" part of a report
};

// The samples that the model is calibrated on, for refinement.
class RefiningData {
 public:
  RefiningData(DataOptions options, const PreprocessRecipe& recipe, const Graph& graph);
  Samples samples() const { return set_->samples(); }  // valid as long as this lives

 private:
  std::optional<SampleSet> set_;
};

// Whether the steps find anything in data.
bool wants_data(const Plan& plan, const RefineSteps& steps);

// Takes the quantized network and its float twin side by side over the samples. What is found
// stands in the plan too; a plan that comes with codes or shifts keeps them. samples: null: nothing
// is found.
Refined refine(const Prepared& prepared, Plan& plan, const RefineSteps& steps,
               const Samples* samples, Context& context);

// The same over all samples of the data. Without data a warning says that nothing was found.
Refined refine(const Prepared& prepared, Plan& plan, const RefineSteps& steps,
               const DataOptions& data, const PreprocessRecipe& recipe, Context& context,
               std::vector<std::string>& warnings);

// The "refine" part of a report.
Json refine_json(const RefineOptions& options, const RefineSteps& steps, const Json& rebalanced,
                 const Json& refined);

}  // namespace intaglio
