#include "apps/commands/usage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "lib/base/nearest.h"

namespace intaglio {
namespace {

using Names = std::vector<std::string>;

Names options_of(const CLI::App& app) {
  Names names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

Names commands_of(const CLI::App& root) {
  Names names;
  for (const CLI::App* command : root.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

bool holds(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string nearest_of(const std::string& word, const Names& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(nearest(word, views));
}

// The commands that have an option.
Names commands_with(const CLI::App& root, const std::string& option) {
  Names names;
  for (const CLI::App* command : root.get_subcommands({}))
    if (holds(options_of(*command), option)) names.push_back(command->get_name());
  return names;
}

// Long names that begin with the letter of a short one, whatever its case.
Names beginning_with(const std::string& letter, const Names& names) {
  Names found;
  for (const std::string& name : names)
    if (std::tolower(letter[1]) == name[2]) found.push_back(name);
  return found;
}

class Mistake {
 public:
  Mistake(const CLI::App& root, const CLI::ParseError& error)
      : root_(root), error_(error), extras_(root.remaining(/*recurse=*/true)) {
    const auto chosen = root.get_subcommands();
    if (!chosen.empty()) command_ = chosen.front();
    if (command_ != nullptr) name_ += " " + command_->get_name();
    help_ = fmt::format("See '{} --help'.", name_);
  }

  Error explain() const {
    for (const std::string& extra : extras_)
      if (extra.size() > 1 && extra[0] == '-') return option(extra.substr(0, extra.find('=')));
    if (command_ == nullptr) return extras_.empty() ? no_command() : no_command(extras_.front());
    if (!extras_.empty()) return too_many(extras_.front());
    return refuse(error_.what(), help_);
  }

 private:
  static Error refuse(const std::string& what, const std::string& remedy) {
    return Error(Code::usage, what, remedy);
  }

  Error no_command() const {
    return refuse("no command given",
                  fmt::format("Commands: {}. {}", fmt::join(commands_of(root_), ", "), help_));
  }

  Error no_command(const std::string& word) const {
    const std::string what = fmt::format("'intaglio' has no command '{}'", word);
    if (holds(options_of(root_), "--" + word))
      return refuse(what, fmt::format("Did you mean 'intaglio --{}'?", word));
    const Names commands = commands_of(root_);
    const std::string meant = nearest_of(word, commands);
    return refuse(what, meant.empty()
                            ? fmt::format("Commands: {}. {}", fmt::join(commands, ", "), help_)
                            : fmt::format("Did you mean 'intaglio {}'? {}", meant, help_));
  }

  Error option(const std::string& word) const {
    Names known = command_ != nullptr ? options_of(*command_) : Names();
    if (holds(known, word))
      return refuse(fmt::format("{} stands before the command", word),
                    fmt::format("Say '{} ... {}'.", name_, word));
    for (const std::string& name : options_of(root_)) known.push_back(name);
    const std::string what = fmt::format("'{}' has no option {}", name_, word);
    const auto meant = [&](const Names& names) {
      return refuse(what, fmt::format("Did you mean {}? {}", fmt::join(names, " or "), help_));
    };
    if (word.size() == 2) {
      const Names same = beginning_with(word, known);
      return same.empty() || same.size() > 4 ? refuse(what, help_) : meant(same);
    }
    if (const Names others = commands_with(root_, word); !others.empty())
      return refuse(what,
                    command_ == nullptr
                        ? fmt::format("Say 'intaglio COMMAND {}'. {}", word, help_)
                        : fmt::format("It belongs to {}. {}", fmt::join(others, ", "), help_));
    const std::string near = nearest_of(word, known);
    return near.empty() ? refuse(what, help_) : meant({near});
  }

  Error too_many(const std::string& word) const {
    if (holds(options_of(*command_), "--" + word) || holds(options_of(root_), "--" + word))
      return refuse(fmt::format("'{}' is no word that '{}' knows", word, name_),
                    fmt::format("Did you mean '{} --{}'?", name_, word));
    Names taken;
    for (const CLI::Option* each : command_->get_options())
      if (each->get_positional()) taken.push_back("one " + each->get_name());
    return refuse(
        fmt::format("'{}' takes {}, '{}' is one too many", name_, fmt::join(taken, " and "), word),
        fmt::format("{}: {}. {}", command_->get_name(), command_->get_description(), help_));
  }

  const CLI::App& root_;
  const CLI::ParseError& error_;
  const Names extras_;
  const CLI::App* command_ = nullptr;
  std::string name_ = "intaglio", help_;
};

}  // namespace

Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
  return Mistake(root, error).explain();
}

void require_values(const CLI::App& root, const std::vector<std::string>& arguments) {
  const CLI::App* command = nullptr;
  const auto find = [&](const std::string& name) -> const CLI::Option* {
    if (!name.starts_with("-")) return nullptr;
    const CLI::Option* of_command =
        command != nullptr ? command->get_option_no_throw(name) : nullptr;
    return of_command != nullptr ? of_command : root.get_option_no_throw(name);
  };
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (command == nullptr && holds(commands_of(root), arguments[i]))
      command = root.get_subcommand(arguments[i]);
    const CLI::Option* option = find(arguments[i]);
    const std::string next = arguments[i + 1].substr(0, arguments[i + 1].find('='));
    if (option == nullptr || option->get_expected_min() == 0 || find(next) == nullptr) continue;
    throw Error(Code::usage,
                fmt::format("{} is followed by the option {}, not by a value", arguments[i], next),
                fmt::format("Say {} {}.", arguments[i], option->get_type_name()));
  }
}

}  // namespace intaglio
