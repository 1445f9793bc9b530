// A command line as parsed: what all commands take, and what the chosen one does.
#pragma once

#include <functional>
#include <string>

#include "apps/pipeline/context.h"

namespace CLI {
class App;
}

namespace intaglio {

struct CommandLine {
  Context context;
  bool quiet = false;
  std::string config;  // for help alone: expand_config() takes it away
  bool print_config = false;
  std::function<void()> action;  // set by the parser
};

// Each command adds its subcommand with options, and sets the action when it is chosen.
void add_quantize(CLI::App& root, CommandLine& line);
void add_calibrate(CLI::App& root, CommandLine& line);
void add_merge(CLI::App& root, CommandLine& line);
void add_compare(CLI::App& root, CommandLine& line);
void add_evaluate(CLI::App& root, CommandLine& line);
void add_run(CLI::App& root, CommandLine& line);
void add_check(CLI::App& root, CommandLine& line);
void add_analyze(CLI::App& root, CommandLine& line);
void add_inspect(CLI::App& root, CommandLine& line);
void add_diff(CLI::App& root, CommandLine& line);
void add_preview(CLI::App& root, CommandLine& line);
void add_completion(CLI::App& root, CommandLine& line);

}  // namespace intaglio
