// How images become inputs: which recipe is taken, and what speaks against it before anything runs.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "calibration/data/recipe.h"
#include "lib/graph/model.h"

namespace intaglio {

struct DataOptions;
class SampleSet;

// The recipe: that of --preprocess, else `settled` (of a file of statistics; null: none), else the
// one in the model's metadata, ours or an exporter's, else `raw` where --mean or --std are in units
// of pixels, else 'imagenet' with a warning; then every override. Its origin says which. `warnings`
// receives what was assumed, and where the recipe does not fit the metadata.
PreprocessRecipe make_recipe(const DataOptions& options, const Model& model,
                             std::vector<std::string>& warnings, const Json& settled = nullptr);

// Dataset::tokens() in one line: "tokenizer.json (BPE, 49152 tokens), 4 sequences of 256 tokens, 12
// left over at the end; made by rule: 'attention_mask' ones". Empty for null.
std::string describe_tokens(const Json& tokens, std::size_t samples);

// Says the recipe of the samples, and how texts become tokens, in a line each, once in a run. The first time, `warnings` receives
// what speaks against it: inputs that hardly differ whatever the image, lines of text that are
// squeezed.
void tell_preprocess(const SampleSet& set, const Graph& graph, Context& context,
                     std::vector<std::string>& warnings);

// The key of the output model's metadata that holds the recipe.
inline constexpr const char* preprocess_key = "intaglio.preprocess";

}  // namespace intaglio
