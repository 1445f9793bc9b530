// The options that set gates.
#pragma once

#include "apps/pipeline/gates.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_gate_options(CLI::App& command, Gates& gates);

}  // namespace intaglio
