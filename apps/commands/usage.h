// What a command line means that the parser does not take.
#pragma once

#include <CLI/CLI.hpp>

#include "lib/base/error.h"

namespace intaglio {

// Of a parse that failed: which command or option is not there, and the nearest that is.
Error usage_error(const CLI::App& root, const CLI::ParseError& error);

}  // namespace intaglio
