// intaglio completion SHELL: a script, or the names that one asks for as it runs.
#include "apps/commands/completion.h"

#include <array>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/options/choice.h"
#include "lib/base/configs.h"

namespace intaglio {
namespace {

enum class Wanted { bash, zsh, fish, targets, presets };
constexpr std::array<Word<Wanted>, 5> words(Wanted) {
  return {{{"bash", Wanted::bash},
           {"zsh", Wanted::zsh},
           {"fish", Wanted::fish},
           {"targets", Wanted::targets},
           {"presets", Wanted::presets}}};
}

std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

std::string completion_text(const CLI::App& root, Wanted wanted) {
  switch (wanted) {
    case Wanted::bash:
      return bash_completion(completed_program(root));
    case Wanted::zsh:
      return zsh_completion(completed_program(root));
    case Wanted::fish:
      return fish_completion(completed_program(root));
    case Wanted::targets:
      return lines_of(config_names(ConfigKind::target));
    case Wanted::presets:
      break;
  }
  return lines_of(config_names(ConfigKind::preprocess));
}

}  // namespace

void add_completion(CLI::App& root, CommandLine& line) {
  const auto wanted = std::make_shared<Wanted>();
  CLI::App* command = root.add_subcommand(
      "completion", "Print the script by which a shell completes the command line");
  add_choice(*command, "SHELL", *wanted,
             "bash, zsh or fish; targets and presets: the names that --target and --preprocess "
             "know, one a line");
  CLI::Option* shell = command->get_option("SHELL");
  shell->required()->default_str("");
  command->footer(
      "Examples:\n"
      "  intaglio completion bash > ~/.local/share/bash-completion/completions/intaglio\n"
      "  intaglio completion targets");
  command->callback([&root, wanted, &line] {
    line.action = [&root, wanted] { put_out(completion_text(root, *wanted)); };
  });
}

}  // namespace intaglio
