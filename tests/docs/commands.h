// The commands that README.md, docs/*.md and `--help` show, taken out of their text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace intaglio::testing {

// Commands that name the program, each on one line with single spaces and without its comment:
// lines of indented blocks (behind "$ ", if there is a prompt; a backslash at the end goes on in
// the next line), and code within sentences that begins with the program's name and gives a command
// options ("`intaglio analyze`" alone names a command, and is none).
std::vector<std::string> commands_of(const std::string& text);

// README.md and the files of docs/ that show any, relative to the checkout, sorted.
std::vector<std::string> documents_with_commands();

}  // namespace intaglio::testing
