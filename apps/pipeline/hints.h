// What one may want to do differently, after a look at the result.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/form.h"
#include "apps/pipeline/search.h"
#include "lib/check/check.h"
#include "lib/eval/evaluate.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Forms that run convolutions slowly, integers that gain no time, noise that other forms do not
// have, and a search that left much of the work float. evaluation: null where nothing was compared;
// kept: where no layers were to stay float. What was asked for already is not recommended.
std::vector<std::string> hints_for(const FormOptions& form, const Plan& plan,
                                   const CheckResult& check, const Evaluation* evaluation,
                                   const KeepSummary* kept);

}  // namespace intaglio
