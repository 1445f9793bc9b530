// --config FILE.json and --print-config: every option of a command can stand in a JSON file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/json.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace intaglio {

// A file of options, and those of them that it decided.
struct ConfigFile {
  std::string path;               // empty: there is none
  std::vector<std::string> keys;  // that do not stand on the command line
};

// Replaces "--config FILE" in the arguments by the options that the file holds, except those that
// stand on the command line themselves: flags win. Keys are the long option names without dashes.
// Throws Code::config with the JSON path for an unknown key, with the nearest one, or a value that
// is no scalar or list of scalars.
std::vector<std::string> expand_config(const std::vector<std::string>& arguments,
                                       const CLI::App& root, ConfigFile* file = nullptr);

// Of a parse that failed: Code::config with file and JSON path where a value of the file is what
// the parser does not take; nullopt: something else is.
std::optional<Error> config_error(const ConfigFile& file, const CLI::ParseError& error);

// The effective options of a parsed command, ready to be fed back through --config.
Json effective_config(const CLI::App& command);

}  // namespace intaglio
