// What a command line means that the parser does not take.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "lib/base/error.h"

namespace intaglio {

// Of a parse that failed: which command or option is not there, and the nearest that is.
Error usage_error(const CLI::App& root, const CLI::ParseError& error);

// Throws Code::usage where an option that takes a value is followed by the name of another option,
// which the parser would take for the value: "--keep-float --threads 1".
void require_values(const CLI::App& root, const std::vector<std::string>& arguments);

}  // namespace intaglio
