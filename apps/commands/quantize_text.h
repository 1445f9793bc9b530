// What quantize says on stdout.
#pragma once

#include "apps/pipeline/quantize.h"

namespace intaglio {

// Every node of a draft with its status and reason.
void print_plan(const Plan& plan);

// The layers that stay float, sizes, what the target runs, hints, the comparison and what became of
// the gates.
void print_summary(const QuantizeResult& result, const Gates& gates);

}  // namespace intaglio
