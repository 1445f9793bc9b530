// The manual page, as man reads it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace intaglio {

// All commands with all options, examples, exit codes, environment and files, in the macros of
// man(7), which groff and mandoc know. Of a parser with all its commands. The last line has no end.
std::string manual_page(const CLI::App& root);

}  // namespace intaglio
