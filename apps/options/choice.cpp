#include "apps/options/choice.h"

#include <CLI/CLI.hpp>

namespace intaglio {

void add_choice(CLI::App& command, const std::string& name, const std::vector<std::string>& choices,
                std::string shown, std::function<void(const std::string&)> take,
                const std::string& help) {
  CLI::Option* option = command.add_option_function<std::string>(name, std::move(take), help);
  option->check(CLI::IsMember(choices));
  if (!shown.empty()) option->default_str(std::move(shown));
}

}  // namespace intaglio
