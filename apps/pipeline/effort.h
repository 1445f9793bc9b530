// Whether --effort best is worth it: what it finds fits the samples that it looks at, and may be
// worse on others.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/decide.h"

namespace intaglio {

// Refines a plan with numbers by the steps of --effort best, and by those without rounding, on four
// fifths of the samples each; the better of the two on the fifth that neither saw is taken,
// balanced when they are equal to the bit. With too few samples to hold some out, best is taken as
// it is. The part "compared" of the refinement says what was done.
Decided better_effort(const Ground& ground, const Plan& plan, Context& context,
                      std::vector<std::string>& warnings);

}  // namespace intaglio
