// The options that say what is quantized and how: of quantize, calibrate, compare and analyze.
#pragma once

#include "apps/pipeline/quant.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_quant_options(CLI::App& command, QuantOptions& options);

}  // namespace intaglio
