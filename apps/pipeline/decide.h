// From statistics to a model: the stages between a measured draft and what can be written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/groups.h"
#include "apps/pipeline/observe.h"
#include "apps/pipeline/quant.h"
#include "apps/pipeline/refine.h"
#include "apps/pipeline/write.h"

namespace intaglio {

// What decisions are made from, the same for every plan of a command. All must outlive it.
struct Ground {
  const Prepared& prepared;
  const Target& target;
  const QuantOptions& quant;
  const Observed& observed;
  const DataOptions& data;                        // of the calibration
  const std::vector<std::string>& float16_paths;  // of the samples that --float16 looks at
  const PreprocessRecipe& recipe;
  RefineSteps refine;
  GroupChoice groups = {};
};

struct Decided {
  Plan plan;  // with numbers
  Refined refined;
  std::optional<QuantizedGroups> groups = {};  // nullopt: no weights come in groups
};

// Chooses ranges, bends them to the target, settles float16 and refines. The draft must speak of
// observed values alone.
Decided decide(const Ground& ground, Plan draft, const Method& method, Context& context,
               std::vector<std::string>& warnings);

struct Attempt {
  Quantized quantized;
  RefineSummary refined;
  std::optional<QuantizedGroups> groups = {};
};

// write_quantized() of what was decided.
Attempt write_decided(const Ground& ground, Decided decided, Context& context);

// decide() and write_decided().
Attempt attempt(const Ground& ground, Plan draft, const Method& method, Context& context,
                std::vector<std::string>& warnings);

}  // namespace intaglio
