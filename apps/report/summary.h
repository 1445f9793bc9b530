// What quantize did, as Markdown for job summaries.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/gates.h"
#include "apps/pipeline/quantize.h"

namespace intaglio {

// A table of what was asked, measured, and whether it holds.
std::string gates_markdown(const std::vector<JudgedGate>& gates);

// Sizes and figures of both models, what the target runs, gates, hints and warnings, under a heading.
std::string quantize_markdown(const QuantizeResult& result, const std::vector<JudgedGate>& gates);

}  // namespace intaglio
