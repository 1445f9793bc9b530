#include "apps/options/config_file.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "apps/options/group.h"
#include "lib/base/nearest.h"

namespace intaglio {
namespace {

bool is_flag(const CLI::Option& option) { return option.get_expected_max() == 0; }

const CLI::App* find_command(const CLI::App& root, const std::string& name) {
  const auto found =
      root.get_subcommands([&](const CLI::App* app) { return app->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

const CLI::Option* find_option(const CLI::App& command, const CLI::App& root,
                               const std::string& key) {
  const CLI::Option* option = command.get_option_no_throw("--" + key);
  return option != nullptr ? option : root.get_option_no_throw("--" + key);
}

// The option that a key of a file stands for; null: none does.
const CLI::Option* find_key(const CLI::App& command, const CLI::App& root, const std::string& key) {
  const CLI::Option* option = key == "config" ? nullptr : find_option(command, root, key);
  return option == nullptr || is_about_program(*option) ? nullptr : option;
}

// "--name", "--name=value" or one of the short names stands on the command line.
bool given(const std::vector<std::string>& arguments, const CLI::Option& option) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    const std::string name = argument.substr(0, argument.find('='));
    const auto longs = option.get_lnames();
    const auto shorts = option.get_snames();
    return std::any_of(longs.begin(), longs.end(),
                       [&](const auto& n) { return name == "--" + n; }) ||
           std::any_of(shorts.begin(), shorts.end(), [&](const auto& n) {
             return argument.size() >= 2 && argument[0] == '-' && argument.substr(1, n.size()) == n;
           });
  });
}

std::string scalar_text(const JsonObject& object, const std::string& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return value.dump();
  object.fail(key, "expected a string, a number, true, false, or a list of them");
}

void append(std::vector<std::string>& list, JsonObject& object, const std::string& key,
            const CLI::Option& option) {
  const Json& value = object.at(key);
  if (is_flag(option)) {
    if (object.get<bool>(key)) list.push_back("--" + key);
    return;
  }
  if (!value.is_array()) {
    list.push_back("--" + key + "=" + scalar_text(object, key, value));
    return;
  }
  for (const Json& element : value)
    list.push_back("--" + key + "=" + scalar_text(object, key, element));
}

std::string unknown_key(const CLI::App& command, const CLI::App& root, const std::string& key) {
  std::vector<std::string> names;
  for (const CLI::App* app : {&command, &root})
    for (const CLI::Option* option : app->get_options())
      for (const std::string& name : option->get_lnames())
        if (find_key(command, root, name) != nullptr) names.push_back(name);
  const std::string_view meant =
      nearest(key, std::vector<std::string_view>(names.begin(), names.end()));
  return fmt::format(
      "{}Keys are the long options of '{}' without dashes: see 'intaglio {} --help'.",
      meant.empty() ? "" : fmt::format("Did you mean \"{}\"? ", meant), command.get_name(),
      command.get_name());
}

// Numbers as numbers, everything else as text.
Json plain_value(const std::string& text) {
  const Json parsed = parse_json_if_any(text);
  return parsed.is_number() ? parsed : Json(text);
}

}  // namespace

std::vector<std::string> expand_config(const std::vector<std::string>& arguments,
                                       const CLI::App& root, ConfigFile* read) {
  std::vector<std::string> rest;
  std::string file;
  const CLI::App* command = nullptr;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--config" && i + 1 < arguments.size()) {
      file = arguments[++i];
    } else if (argument.starts_with("--config=")) {
      file = argument.substr(9);
    } else {
      if (command == nullptr) command = find_command(root, argument);
      rest.push_back(argument);
    }
  }
  if (file.empty() || command == nullptr) return rest;

  if (read != nullptr) read->path = file;
  const Json document = read_json_file(file);
  JsonObject object(document, file);
  std::vector<std::string> extra;
  for (const auto& item : document.items()) {
    const CLI::Option* option = find_key(*command, root, item.key());
    if (option == nullptr)
      throw Error(Code::config, fmt::format("{}: $.{}: unknown key", file, item.key()),
                  unknown_key(*command, root, item.key()));
    if (given(rest, *option)) continue;
    append(extra, object, item.key(), *option);
    if (read != nullptr) read->keys.push_back(item.key());
  }
  // Behind the command's name: its options are known from there on.
  const auto at = std::find(rest.begin(), rest.end(), command->get_name());
  rest.insert(at + 1, extra.begin(), extra.end());
  return rest;
}

std::optional<Error> config_error(const ConfigFile& file, const CLI::ParseError& error) {
  const std::string said = error.what();
  for (const std::string& key : file.keys) {
    const std::size_t at = said.find("--" + key);
    if (at == std::string::npos) continue;
    const char behind = at + 2 + key.size() < said.size() ? said[at + 2 + key.size()] : ' ';
    if (std::isalnum(static_cast<unsigned char>(behind)) != 0 || behind == '-') continue;
    return Error(
        Code::config,
        fmt::format("{}: $.{}: not what the option takes: {}", file.path, key,
                    said.starts_with("--" + key + ": ") ? said.substr(key.size() + 4) : said),
        fmt::format("Write it as --{} takes it: see the command's --help.", key));
  }
  return std::nullopt;
}

Json effective_config(const CLI::App& command) {
  Json json = Json::object();
  const auto add = [&](const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_lnames().empty() || is_about_program(*option)) continue;
      const std::string& key = option->get_lnames().front();
      if (key == "config" || key == "print-config") continue;
      if (is_flag(*option)) {
        json[key] = option->count() > 0;
      } else if (option->get_expected_max() > 1) {
        json[key] = option->count() > 0 ? Json(option->results()) : Json::array();
      } else if (option->count() > 0) {
        json[key] = plain_value(option->results().back());
      } else if (!option->get_default_str().empty()) {
        json[key] = plain_value(option->get_default_str());
      }
    }
  };
  add(*command.get_parent());
  add(command);
  return json;
}

}  // namespace intaglio
