// The groups under which help shows the options of a command.
#pragma once

#include <CLI/CLI.hpp>
#include <array>

namespace intaglio {

namespace group {
inline constexpr const char* data = "Data";
inline constexpr const char* method = "Method";
inline constexpr const char* form = "Form and target";
inline constexpr const char* accuracy = "Accuracy";
inline constexpr const char* run = "Run";
inline constexpr const char* comparison = "Comparison";
inline constexpr const char* gates = "Gates";
inline constexpr const char* outputs = "Outputs";
inline constexpr const char* general = "General";
}  // namespace group

// In the order in which they are shown.
inline constexpr std::array groups = {group::data,     group::method,  group::form,
                                      group::accuracy, group::run,     group::comparison,
                                      group::gates,    group::outputs, group::general};

// What is added to the command from now on belongs to the group.
inline void begin_group(CLI::App& command, const char* name) {
  command.option_defaults()->group(name);
}

// Options that say something of the program and stop: they belong to no configuration, and to no
// command's own help.
inline bool is_about_program(const CLI::Option& option) {
  return option.check_lname("help") || option.check_lname("help-all") ||
         option.check_lname("version") || option.check_lname("man");
}

}  // namespace intaglio
