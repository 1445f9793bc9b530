// The options of every command with --data.
#pragma once

#include "apps/pipeline/data.h"

namespace CLI {
class App;
}

namespace intaglio {

void add_data_options(CLI::App& command, DataOptions& options, bool required);
void add_label_options(CLI::App& command, DataOptions& options);

// --classes, --characters: names for pages.
void add_name_options(CLI::App& command, DataOptions& options);

}  // namespace intaglio
