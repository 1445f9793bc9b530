// The report of compare: "intaglio.compare/1".
#pragma once

#include "apps/pipeline/compare.h"
#include "apps/report/markdown.h"
#include "lib/base/json.h"

namespace intaglio {

Json report_of(const CompareSpec& spec, const CompareResult& result, const Context& context);

// The float model and every method with their figures and sizes; the first row is the head.
Rows comparison_rows(const CompareResult& result);
// "best: mse (largest agreement) over 100 samples held out of --data".
std::string best_text(const CompareResult& result);
// Both as Markdown under a heading, with the warnings.
std::string comparison_markdown(const CompareResult& result);

}  // namespace intaglio
