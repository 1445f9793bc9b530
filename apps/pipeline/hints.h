// What one may want to do differently, after a look at the result.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/form.h"
#include "lib/check/check.h"
#include "lib/eval/evaluate.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Forms that run convolutions slowly, integers that gain no time, and noise that other forms do not
// have. evaluation: null where nothing was compared.
std::vector<std::string> hints_for(const FormOptions& form, const Plan& plan,
                                   const CheckResult& check, const Evaluation* evaluation);

}  // namespace intaglio
