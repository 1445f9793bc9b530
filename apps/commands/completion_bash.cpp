// Completion for bash 4.4 and newer: one function, without the helpers of bash-completion.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "apps/commands/completion.h"

namespace intaglio {
namespace {

// What is set where a value stands: words='qdq qoperator' files=yes.
std::string settings_of(const CompletedValue& value) {
  std::string text;
  if (!value.words.empty()) text += fmt::format(" words='{}'", fmt::join(value.words, " "));
  if (!value.configs.empty()) text += fmt::format(" names={}", value.configs);
  if (value.files) text += " files=-f";
  if (value.folders) text += " files=-d";
  return text.empty() ? " :" : text;
}

using Options = std::vector<CompletedOption>;

// The options that take values, those of one kind in one line.
std::string values_in(const Options& options) {
  std::map<std::string, std::vector<std::string>> by_settings;
  for (const CompletedOption& option : options)
    if (!option.value.type.empty())
      for (const std::string& name : option.names)
        by_settings[settings_of(option.value)].push_back(name);
  std::string text;
  for (const auto& [settings, names] : by_settings)
    text += fmt::format("        {}){} ;;\n", fmt::join(names, "|"), settings);
  return text;
}

std::string names_of(const Options& options) {
  std::vector<std::string> names;
  for (const CompletedOption& option : options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

// One branch of what may stand where the cursor is; rest: where no option waits for its value.
std::string branch(std::string_view command, const Options& options, const std::string& rest) {
  return fmt::format(
      "    {})\n      options='{}'\n      case $option in\n{}        *){} open=yes ;;\n      esac "
      ";;\n",
      command, names_of(options), values_in(options), rest == " :" ? "" : rest);
}

constexpr std::string_view head =
    R"sh(# Completion of intaglio for bash, made by 'intaglio completion bash'.
_intaglio() {
  local current=${COMP_WORDS[COMP_CWORD]} option= before= command= i
  local options= words= names= files= open=
  COMPREPLY=()

  # The option whose value stands here: "--format qdq", "--format=qdq", "--input x=file". "=" is a
  # word of its own where $COMP_WORDBREAKS has it.
  if [[ $current == --*=* ]]; then
    option=${current%%=*} before=${current%%=*}= current=${current#*=}
  else
    i=$((COMP_CWORD - 1))
    if [[ $current == = ]]; then current= i=$COMP_CWORD; fi
    if [[ ${COMP_WORDS[i]} == = ]]; then
      i=$((i - 1))
      [[ ${COMP_WORDS[i]} == -* ]] || i=$((i - 1))
    fi
    option=${COMP_WORDS[i]}
  fi

  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      )sh";
constexpr std::string_view middle = R"sh() command=${COMP_WORDS[i]}; break ;;
    esac
  done

  case $command in
)sh";
constexpr std::string_view tail = R"sh(  esac

  if [[ -n $open && $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  [[ -z $names ]] || words+=" $("$1" completion "$names" 2>/dev/null)"
  if [[ -n $words ]]; then
    local list=$before
    [[ $current != *,* ]] || list+=${current%,*},
    mapfile -t COMPREPLY < <(compgen -P "$list" -W "$words" -- "${current##*,}")
  fi
  if [[ -n $files ]]; then
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen "$files" -P "$before" -- "$current")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _intaglio intaglio
)sh";

}  // namespace

std::string bash_completion(const CompletedProgram& program) {
  std::vector<std::string> commands;
  for (const CompletedCommand& command : program.commands) commands.push_back(command.name);
  std::string text(head);
  text += fmt::format("{}", fmt::join(commands, "|"));
  text += middle;
  text += branch("''", program.options, fmt::format(" words='{}'", fmt::join(commands, " ")));
  for (const CompletedCommand& command : program.commands) {
    Options options = command.options;
    options.insert(options.end(), program.options.begin(), program.options.end());
    text += branch(command.name, options,
                   command.arguments.empty() ? " :" : settings_of(command.arguments.front()));
  }
  text += tail;
  return text;
}

}  // namespace intaglio
