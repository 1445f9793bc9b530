// --config FILE.json and --print-config: every option of a command can stand in a JSON file.
#pragma once

#include <string>
#include <vector>

#include "lib/base/json.h"

namespace CLI {
class App;
}

namespace intaglio {

// Replaces "--config FILE" in the arguments by the options that the file holds, except those that
// stand on the command line themselves: flags win. Keys are the long option names without dashes.
// Throws Code::config with the JSON path for an unknown key or a value that is no scalar or list of
// scalars. file receives FILE, if there is one.
std::vector<std::string> expand_config(const std::vector<std::string>& arguments,
                                       const CLI::App& root, std::string* file = nullptr);

// The effective options of a parsed command, ready to be fed back through --config.
Json effective_config(const CLI::App& command);

}  // namespace intaglio
