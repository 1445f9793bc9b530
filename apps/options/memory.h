// --max-memory.
#pragma once

namespace CLI {
class App;
}

namespace intaglio {

// Adds the option; where it is given, it sets the limit of lib/base/memory.h.
void add_memory_option(CLI::App& root);

}  // namespace intaglio
