// The report of analyze: "intaglio.analysis/1".
#pragma once

#include "apps/pipeline/analyze.h"
#include "lib/base/json.h"

namespace intaglio {

Json report_of(const AnalyzeSpec& spec, const AnalyzeResult& result, const Context& context);

}  // namespace intaglio
