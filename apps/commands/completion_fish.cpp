// Completion for fish: one line for each option, with the commands that take it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "apps/commands/completion.h"

namespace intaglio {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// How a value completes: -x takes one of the list alone, -r -F files too.
std::string rule_of(const CompletedValue& value) {
  if (value.type.empty()) return "";
  if (value.folders) return " -x -a '(__fish_complete_directories)'";
  std::string list = fmt::format("{}", fmt::join(value.words, " "));
  if (!value.configs.empty()) list = fmt::format("(intaglio completion {})", value.configs);
  return (value.files ? " -r -F" : " -x") + (list.empty() ? "" : " -a " + in_quotes(list));
}

std::string option_line(const std::string& condition, const CompletedOption& option) {
  std::string line = "complete -c intaglio" + condition;
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return line + rule_of(option.value) + " -d " + in_quotes(option.meaning) + "\n";
}

constexpr std::string_view head =
    R"(# Completion of intaglio for fish, made by 'intaglio completion fish'.
complete -c intaglio -e
)";

}  // namespace

std::string fish_completion(const CompletedProgram& program) {
  std::string text(head);
  for (const CompletedOption& option : program.options) text += option_line("", option);
  for (const CompletedCommand& command : program.commands)
    text += fmt::format("complete -c intaglio -n __fish_use_subcommand -f -a {} -d {}\n",
                        command.name, in_quotes(command.meaning));
  // Lines that differ in the command alone are one.
  std::map<std::string, std::vector<std::string>> takers;
  std::vector<std::string> lines;
  const auto add = [&](const std::string& line, const std::string& command) {
    if (!takers.contains(line)) lines.push_back(line);
    takers[line].push_back(command);
  };
  for (const CompletedCommand& command : program.commands) {
    for (const CompletedOption& option : command.options)
      add(option_line(" -n '__fish_seen_subcommand_from @'", option), command.name);
    for (const CompletedValue& value : command.arguments)
      if (!value.words.empty())
        add(fmt::format("complete -c intaglio -n '__fish_seen_subcommand_from @' -f -a {}\n",
                        in_quotes(fmt::format("{}", fmt::join(value.words, " ")))),
            command.name);
  }
  for (const std::string& line : lines) {
    const std::size_t at = line.find('@');
    text +=
        line.substr(0, at) + fmt::format("{}", fmt::join(takers[line], " ")) + line.substr(at + 1);
  }
  return text;
}

}  // namespace intaglio
