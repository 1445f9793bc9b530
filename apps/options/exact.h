// --exact: how a quantized model is run.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace intaglio {

void add_exact_option(CLI::App& command, std::string& exact);

}  // namespace intaglio
