// The refine stage: what is done to model and plan beyond choosing ranges.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/prepare.h"
#include "calibration/refine/bias_correction.h"
#include "calibration/refine/gptq.h"
#include "calibration/refine/rebalance.h"
#include "lib/base/words.h"
#include "lib/quant/plan.h"

namespace intaglio {

// How much is done for accuracy.
enum class Effort { fast, balanced, best };
constexpr std::array<Word<Effort>, 3> words(Effort) {
  return {{{"fast", Effort::fast}, {"balanced", Effort::balanced}, {"best", Effort::best}}};
}

struct RefineOptions {
  Effort effort = Effort::balanced;
  std::vector<std::string> list;  // of steps; empty: those of the effort
};
struct RefineSteps {
  bool shift = false, equalization = false, migration = false;  // before statistics are measured
  bool rounding = false, bias = false;                          // after the ranges are chosen
  bool compared = false;  // rounding is taken where it helps on samples that it did not see
  bool rebalances() const { return shift || equalization || migration; }
};
// Throws Code::usage for a name that is none, with the nearest one.
RefineSteps refine_steps(const RefineOptions& options);

// What rebalance() did.
struct RebalanceSummary {
  std::optional<Rebalanced> done = {};  // measured
  // Or taken over from a plan or a file of statistics: how many values of each kind.
  struct Given {
    std::string origin;
    std::size_t shifts = 0, scales = 0, migrated = 0, copies = 0;
  };
  std::optional<Given> given = {};
};

// Rebalances the prepared model, which keeps its original, and notes it in the draft, which is made
// anew where migration changed the graph. Takes up to 128 samples spread over all of the data,
// whatever its shard, so that shards agree.
RebalanceSummary rebalance(Prepared& prepared, Plan& plan, const RefineSteps& steps,
                           const DataOptions& data, const PreprocessRecipe& recipe,
                           const Redraft& redraft, Context& context);

// The same with channels from a plan, which needs no new draft (redraft null), or from a file of
// statistics.
RebalanceSummary rebalance_as(Prepared& prepared, Plan& plan, std::vector<ChannelPlan> channels,
                              const std::string& origin, const Redraft& redraft);

// Whether best was better than balanced, on samples that neither saw.
struct EffortComparison {
  bool best = true;  // which was taken
  std::size_t held_out = 0;
  std::optional<double> best_db, balanced_db;  // nullopt: without noise
};

// What refine() did; nullopt: the step was not taken.
struct RefineSummary {
  std::size_t samples = 0;
  std::optional<WeightRounding> rounding;
  std::optional<BiasCorrection> bias;
  std::optional<EffortComparison> compared;
};

struct Refined {
  Model model;  // the prepared one, refined
  RefineSummary summary;
};

// The samples that the model is calibrated on, for refinement.
class RefiningData {
 public:
  RefiningData(DataOptions options, const PreprocessRecipe& recipe, const Model& model);
  Samples samples() const { return set_->samples(); }  // valid as long as this lives
  void finish(std::vector<std::string>& warnings) const { set_->finish(warnings); }
  DataSummary summary(std::size_t threads) const { return set_->summary(threads); }

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

// The names of the steps that are taken, in their order.
std::vector<std::string_view> step_names(const RefineSteps& steps);

}  // namespace intaglio
