// Models from files, as every command takes them: valid, or not at all.
#pragma once

#include <filesystem>

#include "lib/io/load.h"

namespace intaglio {

// Throws what load_model() and require_valid() do; errors name the file. data_files: see
// load_model().
Model load_valid(const std::filesystem::path& path, DataFiles* data_files = nullptr);

// The same with calls of functions replaced by their nodes.
Model load_runnable(const std::filesystem::path& path, DataFiles* data_files = nullptr);

}  // namespace intaglio
