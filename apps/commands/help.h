// What --help prints.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>

namespace intaglio {

// Options in groups (apps/options/group.h), wrapped to the width of the terminal; those of all
// commands stand in each. `--help` names rare options without their meaning, at the end of each
// group; `--help all` gives it. The program's own help lists the commands; with `all`, also what
// each of them takes.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

// The options that `--help` names only, without their dashes, sorted.
std::span<const std::string_view> rare_options();

}  // namespace intaglio
