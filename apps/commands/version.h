// What 'intaglio --version --verbose' says of the program and of where it runs.
#pragma once

#include <string>

namespace intaglio {

// Lines: how it was built, its libraries, the instruction sets of this processor that it has code
// for, its limits here, and the folders of configs. The last line has no end.
std::string version_details();

}  // namespace intaglio
