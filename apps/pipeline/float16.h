// --float16: what of the float rest of a model the data leaves within float16.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/prepare.h"

namespace intaglio {

// Runs the float model on up to 16 of the samples, spread evenly, and leaves nodes float32 that
// reach beyond (keep_within_float16()). Warns when there is nothing to look at (`paths` is empty),
// and of constants of which elements become 0. Does nothing for a plan without float16.
void settle_float16(Plan& plan, const Prepared& prepared, const DataOptions& data,
                    const std::vector<std::string>& paths, const PreprocessRecipe& recipe,
                    Context& context, std::vector<std::string>& warnings);

}  // namespace intaglio
