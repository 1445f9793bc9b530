// The report of quantize: "intaglio.report/1".
#pragma once

#include "apps/pipeline/quantize.h"
#include "lib/base/json.h"

namespace intaglio {

Json report_of(const QuantizeSpec& spec, const QuantizeResult& result, const Context& context);

}  // namespace intaglio
