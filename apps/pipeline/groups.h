// Weights in groups: from the effort and the data to codes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/form.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/refine.h"
#include "calibration/groups/quantize_weights.h"

namespace intaglio {

struct GroupChoice {
  Effort effort = Effort::balanced;  // fast: nearest; balanced: range_search; best: gptq
  // The data file of the result, which codes of external weights begin; empty: they are in memory.
  std::filesystem::path data_file = {};
};

GroupRounding rounding_of(Effort effort);

struct QuantizedGroups {
  GroupSummary summary;
  std::optional<DataSummary> data = {};  // nullopt: no sample was looked at
};

// Fills the plan of a model that was loaded as it is; data: may be empty. Warnings name what the
// effort would have done with data, and nodes whose input no sample showed.
QuantizedGroups quantize_groups_of(Plan& plan, const Prepared& prepared, const FormOptions& form,
                                   const GroupChoice& choice, const DataOptions& data,
                                   const PreprocessRecipe& recipe, Context& context,
                                   std::vector<std::string>& warnings);

}  // namespace intaglio
