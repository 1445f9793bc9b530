// The report of compare: "intaglio.compare/1".
#pragma once

#include "apps/pipeline/compare.h"
#include "lib/base/json.h"

namespace intaglio {

Json report_of(const CompareSpec& spec, const CompareResult& result, const Context& context);

}  // namespace intaglio
