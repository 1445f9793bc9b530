// An option as people read of it: in help and in the manual.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

using Options = std::vector<const CLI::Option*>;

// What its value is: the words or the range that are allowed ("qdq|qoperator", "0..1"), else the
// type ("FILE", "N").
std::string type_of(const CLI::Option& option);

// "-o,--output FILE"; of a positional one "STATS ...".
std::string name_of(const CLI::Option& option);

// Its sentence, with the default and whether it must be given.
std::string meaning_of(const CLI::Option& option);

// Those that a command takes, of a group (apps/options/group.h): its own and the program's.
Options options_of(const CLI::App& app, std::string_view group);

// "intaglio quantize MODEL [options]"; name: as the shell knows it.
std::string usage_of(const CLI::App& app, const std::string& name);

}  // namespace intaglio
