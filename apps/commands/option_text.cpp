#include "apps/commands/option_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/options/group.h"

namespace intaglio {

// What the parser makes of a type and the checks of a value, as people write it.
std::string type_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  const std::size_t brace = type.find(":{"), range = type.find(" in [");
  if (brace != std::string::npos) {
    type = type.substr(brace + 2, type.size() - brace - 3);
    std::ranges::replace(type, ',', '|');
  } else if (range != std::string::npos && type.starts_with("FLOAT")) {
    type = type.substr(range + 5, type.size() - range - 6);
    if (const std::size_t dash = type.find(" - "); dash != std::string::npos)
      type.replace(dash, 3, "..");
  } else if (type.find("[:") == std::string::npos) {
    type = type.substr(0, type.find(':'));
  }
  if (type == "UINT" || type == "INT") return "N";
  return type == "FLOAT" ? "NUMBER" : type;
}

std::string name_of(const CLI::Option& option) {
  std::string name = option.get_positional() ? option.get_name() : option.get_name(false, true);
  if (option.get_expected_max() > 0 && !option.get_positional()) name += ' ' + type_of(option);
  if (option.get_expected_max() == CLI::detail::expected_max_vector_size) name += " ...";
  return name;
}

std::string meaning_of(const CLI::Option& option) {
  std::string meaning = option.get_description();
  if (option.get_required() && !option.get_positional()) meaning += " (required)";
  if (const std::string& value = option.get_default_str(); !value.empty())
    meaning += fmt::format(" (default: {})", value);
  return meaning;
}

Options options_of(const CLI::App& app, std::string_view group) {
  Options options;
  for (const CLI::App* each = &app; each != nullptr; each = each->get_parent())
    for (const CLI::Option* option : each->get_options()) {
      const bool inherited = each != &app;
      if (option->get_group() == group && !option->get_positional() &&
          !(inherited && is_about_program(*option)))
        options.push_back(option);
    }
  return options;
}

std::string usage_of(const CLI::App& app, const std::string& name) {
  std::string usage = name;
  if (app.get_parent() == nullptr) usage += " COMMAND";
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) usage += ' ' + name_of(*option);
  return usage + " [options]";
}

}  // namespace intaglio
