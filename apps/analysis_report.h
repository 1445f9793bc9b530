// What analyze tells: as JSON ("intaglio.analysis/1") and as a table.
#pragma once

#include "calibration/sensitivity/sensitivity.h"
#include "lib/base/json.h"

namespace intaglio {

// "layers", the most sensitive first, "values", and the whole network under "quantized". classes:
// the first output holds scores of classes; else there is no agreement.
Json analysis_json(const Sensitivity& sensitivity, bool classes);

// The first `rows` layers.
void print_analysis(const Sensitivity& sensitivity, bool classes, std::size_t rows);

}  // namespace intaglio
