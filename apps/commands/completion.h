// Scripts by which shells complete the command line, made of the parser's own tables: what it takes
// is what they offer.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace intaglio {

// What stands behind an option, or in place of a positional argument.
struct CompletedValue {
  std::string type;                // "FILE"; empty: a flag, which has no value
  std::vector<std::string> words;  // that it may be
  std::string configs;             // "targets" or "presets": their names, too; empty: neither
  bool files = false, folders = false;
  bool repeatable = false;

  bool free() const { return words.empty() && configs.empty() && !files && !folders; }
};

struct CompletedOption {
  std::vector<std::string> names;  // "-o", "--output"
  std::string meaning;
  CompletedValue value;
};

struct CompletedCommand {
  std::string name, meaning;
  std::vector<CompletedOption> options;  // those of the program not among them
  std::vector<CompletedValue> arguments;
};

struct CompletedProgram {
  std::vector<CompletedOption> options;  // that stand before or behind a command
  std::vector<CompletedCommand> commands;
};

// Of a parser with all its commands.
CompletedProgram completed_program(const CLI::App& root);

// The scripts. Names of targets and presets they ask of the program as they go, with
// 'intaglio completion targets', so that a user's own complete, too.
std::string bash_completion(const CompletedProgram& program);
std::string zsh_completion(const CompletedProgram& program);
std::string fish_completion(const CompletedProgram& program);

}  // namespace intaglio
