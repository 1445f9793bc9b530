// The command line as a whole: its commands, the options that all of them take, and the log.
#pragma once

#include <string>
#include <vector>

namespace intaglio {

// Parses the arguments (without the program's name) and does what they say. Returns the exit code
// of what cannot fail (0); everything else is an Error.
int run_program(std::vector<std::string> arguments);

}  // namespace intaglio
