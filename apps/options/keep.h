// --keep-float and what goes with it.
#pragma once

#include "apps/pipeline/keep.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_keep_options(CLI::App& command, KeepOptions& options);

}  // namespace intaglio
