// An option that takes one of a few words, which its help lists: "--keep-as float|16bit".
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace intaglio {

// `value` holds the default, which the help shows.
void add_choice(CLI::App& command, const std::string& name, std::string& value,
                const std::vector<std::string>& choices, const std::string& help);

}  // namespace intaglio
