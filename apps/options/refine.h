// The options of the refine stage.
#pragma once

#include "apps/pipeline/refine.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_refine_options(CLI::App& command, RefineOptions& options);

}  // namespace intaglio
