// --batch and --shape: lengths that the model leaves open, fixed in the output.
#pragma once

#include "lib/passes/fix_shapes.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_shape_options(CLI::App& command, ShapeRequest& request);

}  // namespace intaglio
