// --exact: how a quantized model is run.
#pragma once

#include "apps/pipeline/execution.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_exact_option(CLI::App& command, Arithmetic& exact);

}  // namespace intaglio
