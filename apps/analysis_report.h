// What analyze tells: as JSON ("intaglio.analysis/1") and as a table.
#pragma once

#include "calibration/sensitivity/sensitivity.h"
#include "lib/base/json.h"

namespace intaglio {

// "layers", the most sensitive first, "values", and the whole network under "quantized".
Json analysis_json(const Sensitivity& sensitivity);

// The first `rows` layers.
void print_analysis(const Sensitivity& sensitivity, std::size_t rows);

}  // namespace intaglio
