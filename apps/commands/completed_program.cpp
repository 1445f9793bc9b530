#include <algorithm>
#include <array>
#include <functional>
#include <sstream>

#include "apps/commands/completion.h"
#include "apps/commands/option_text.h"
#include "apps/pipeline/objective.h"
#include "apps/pipeline/refine.h"
#include "calibration/ranges/methods/selector.h"
#include "lib/eval/decoders.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

using Words = std::vector<std::string>;

template <typename Table>
Words names_in(const Table& table) {
  Words names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

Words with(std::string_view first, Words others) {
  others.emplace(others.begin(), first);
  return others;
}

Words all_steps() {
  const auto names = step_names({true, true, true, true, true});
  return with("none", {names.begin(), names.end()});
}

// The words of options whose values the parser does not check, because the libraries do.
struct NamedValue {
  std::string_view option;
  Words (*words)();
};
constexpr std::array named_values = {
    NamedValue{"--decoder", [] { return with(any_decoder, names_in(decoders())); }},
    NamedValue{"--method", [] { return names_in(selectors()); }},
    NamedValue{"--metric", [] { return names_in(all_metrics()); }},
    NamedValue{"--objective", [] { return objectives(); }},
    NamedValue{"--refine", [] { return all_steps(); }},
    NamedValue{"--weight-method", [] { return with("best", names_in(selectors())); }},
};

// Capitals stand for what only the user knows: "N|auto".
bool is_word(const std::string& part) {
  return part.find("..") == std::string::npos &&
         std::ranges::none_of(part, [](unsigned char c) { return std::isupper(c) != 0; });
}

Words words_of(const CLI::Option& option) {
  const bool all = option.get_type_name().find(":{") != std::string::npos;  // the parser checks
  Words words;
  std::istringstream parts(type_of(option));
  for (std::string part; std::getline(parts, part, '|');)
    if (all || is_word(part)) words.push_back(part);
  return words;
}

constexpr std::array file_types = {"FILE", "PATH", "STATS", "CSV", "TSV", ".onnx"};

CompletedValue value_of(const CLI::Option& option) {
  CompletedValue value;
  const bool positional = option.get_positional();
  const std::string name = positional ? option.get_name() : "--" + option.get_lnames().front();
  value.repeatable = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  value.type = type_of(option);
  value.words = words_of(option);
  if (positional) value.type = option.get_name();
  const auto named = std::ranges::find(named_values, name, &NamedValue::option);
  if (value.words.empty() && named != named_values.end()) value.words = named->words();
  if (name == "--target") value.configs = "targets";
  if (name == "--preprocess") value.configs = "presets";
  value.folders = value.type == "DIR";
  value.files =
      (positional && value.words.empty()) || std::ranges::any_of(file_types, [&](const char* type) {
        return value.type.find(type) != std::string::npos;
      });
  return value;
}

CompletedOption completed(const CLI::Option& option) {
  CompletedOption out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  out.meaning = option.get_description();
  if (option.get_expected_max() > 0) out.value = value_of(option);
  return out;
}

bool is_shown(const CLI::Option& option) {
  return !option.get_positional() && !option.get_group().empty();
}

std::vector<CompletedOption> options_in(const CLI::App& app) {
  std::vector<CompletedOption> options;
  for (const CLI::Option* option : app.get_options())
    if (is_shown(*option)) options.push_back(completed(*option));
  return options;
}

}  // namespace

CompletedProgram completed_program(const CLI::App& root) {
  CompletedProgram program;
  program.options = options_in(root);
  for (const CLI::App* command : root.get_subcommands({})) {
    CompletedCommand& c = program.commands.emplace_back();
    c.name = command->get_name();
    c.meaning = command->get_description();
    c.options = options_in(*command);
    for (const CLI::Option* option : command->get_options())
      if (option->get_positional()) c.arguments.push_back(value_of(*option));
  }
  return program;
}

}  // namespace intaglio
