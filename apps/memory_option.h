// --max-memory.
#pragma once

#include <CLI/CLI.hpp>

namespace intaglio {

// Adds the option; where it is given, it sets the limit of lib/base/memory.h.
void add_memory_option(CLI::App& root);

}  // namespace intaglio
