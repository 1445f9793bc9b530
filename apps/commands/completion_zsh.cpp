// Completion for zsh: specifications of _arguments, one for each option.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/commands/completion.h"

namespace intaglio {
namespace {

// Within single quotes, with a backslash before each of these.
std::string in_quotes(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += R"('\'')";
      continue;
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// What completes: ":TYPE:(words)", or several of them in one.
std::string action_of(const CompletedValue& value) {
  if (value.type.empty()) return "";
  const std::string type = ":" + in_quotes(value.type, ":\\");
  if (!value.configs.empty()) return type + ": _intaglio_configs " + value.configs;
  if (!value.words.empty()) return fmt::format("{}:({})", type, fmt::join(value.words, " "));
  if (value.folders) return type + ":_files -/";
  return type + (value.files ? ":_files" : ":");
}

// One specification in quotes. -o and --output are one option, and each excludes the other.
std::string specification(const CompletedOption& option) {
  const bool valued = !option.value.type.empty();
  const std::string rest =
      fmt::format("[{}]{}", in_quotes(option.meaning, "[]\\"), action_of(option.value));
  const auto spelled = [&](const std::string& name) {
    return name + (!valued ? "" : name.starts_with("--") ? "=" : "+");
  };
  const std::string repeat = option.value.repeatable ? "*" : "";
  if (option.names.size() == 1)
    return fmt::format("'{}{}{}'", repeat, spelled(option.names.front()), rest);
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(spelled(name));
  return fmt::format("'({})'{{{}}}'{}'", fmt::join(option.names, " "), fmt::join(names, ","), rest);
}

std::string specifications(const std::vector<CompletedOption>& options, std::string_view indent) {
  std::string text;
  for (const CompletedOption& option : options)
    text += fmt::format("{}{} \\\n", indent, specification(option));
  return text;
}

std::string arguments_of(const CompletedCommand& command) {
  std::string text;
  for (const CompletedValue& value : command.arguments)
    text += fmt::format("        '{}{}' \\\n", value.repeatable ? "*" : "", action_of(value));
  return text;
}

constexpr std::string_view head = R"sh(#compdef intaglio
# Completion of intaglio for zsh, made by 'intaglio completion zsh'.

# The names of configs/, and files.
_intaglio_configs() {
  local -a names=(${(f)"$($intaglio completion $1 2>/dev/null)"})
  _alternative "$1:$1:($names)" 'files:file:_files'
}

_intaglio() {
  local curcontext=$curcontext intaglio=$words[1] state line
  typeset -A opt_args
  local -a program=(
)sh";
constexpr std::string_view commands_head = R"sh(  )
  local -a commands=(
)sh";
constexpr std::string_view middle = R"sh(  )
  _arguments -C $program '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
)sh";
constexpr std::string_view tail = R"sh(      esac ;;
  esac
}

if [[ $funcstack[1] == _intaglio ]]; then
  _intaglio "$@"
else
  compdef _intaglio intaglio
fi
)sh";

}  // namespace

std::string zsh_completion(const CompletedProgram& program) {
  std::string text(head);
  for (const CompletedOption& option : program.options)
    text += fmt::format("    {}\n", specification(option));
  text += commands_head;
  for (const CompletedCommand& command : program.commands)
    text += fmt::format("    '{}:{}'\n", command.name, in_quotes(command.meaning, ":\\"));
  text += middle;
  for (const CompletedCommand& command : program.commands)
    text += fmt::format("        {}) _arguments -s $program \\\n{}{}          ;;\n", command.name,
                        specifications(command.options, "          "), arguments_of(command));
  text += tail;
  return text;
}

}  // namespace intaglio
