// --junit: what became of the gates, as a file for CI systems.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace intaglio {

void add_junit_option(CLI::App& command, std::string& path);

// Throws Code::usage where the file is asked for and there is no gate that it could tell of.
void require_gates(const std::string& path, bool any_gate, const std::string& remedy);

}  // namespace intaglio
