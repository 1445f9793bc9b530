// Which kernel would run each node of a model.
#pragma once

#include <string>

#include "lib/base/json.h"

namespace intaglio {

// intaglio inspect MODEL --ops: of the model as it would run (functions inlined, prepared), nested
// graphs included. {"nodes": [{"name", "op", "kernel", "refused": [{"kernel", "reason"}],
// "remedy"}], ...}; kernel is null where none takes the node.
Json inspect_ops(const std::string& path);
void print_ops(const Json& ops);

}  // namespace intaglio
