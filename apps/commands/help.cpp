#include "apps/commands/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "apps/commands/option_text.h"
#include "apps/commands/terminal.h"
#include "apps/options/group.h"

namespace intaglio {
namespace {

using namespace std::string_view_literals;

constexpr std::array rare = {
    "accuracy-level"sv,
    "activations"sv,
    "atol"sv,
    "batch"sv,
    "channels"sv,
    "characters"sv,
    "config"sv,
    "contrib"sv,
    "crop"sv,
    "ctc-blank"sv,
    "decoder"sv,
    "exact"sv,
    "exclude-op"sv,
    "external-data"sv,
    "float-output"sv,
    "float16"sv,
    "follow-links"sv,
    "from-qdq"sv,
    "granularity"sv,
    "group"sv,
    "head"sv,
    "include"sv,
    "include-op"sv,
    "input-range"sv,
    "junit"sv,
    "keep-as"sv,
    "layout"sv,
    "letterbox"sv,
    "markdown"sv,
    "max-agreement-drop"sv,
    "max-character-error"sv,
    "max-kl"sv,
    "max-memory"sv,
    "max-perplexity-rise"sv,
    "mean"sv,
    "min-boxes-f1"sv,
    "min-cosine"sv,
    "min-equal-lines"sv,
    "min-psnr"sv,
    "min-same-token"sv,
    "ncnn-param"sv,
    "nms-iou"sv,
    "no-zero-zero-points"sv,
    "nonfinite"sv,
    "objective"sv,
    "opset"sv,
    "placement"sv,
    "plan"sv,
    "print-config"sv,
    "ranges"sv,
    "ranges-format"sv,
    "reduce-range"sv,
    "refine"sv,
    "resize"sv,
    "rtol"sv,
    "save-plan"sv,
    "score-threshold"sv,
    "sequence-length"sv,
    "shape"sv,
    "std"sv,
    "strip"sv,
    "symmetric"sv,
    "table"sv,
    "weight-method"sv,
    "weights"sv,
    "weights-of"sv,
};
static_assert(std::ranges::is_sorted(rare));

constexpr std::size_t most_columns = 110, least_columns = 40, meaning_at = 26;

// Lines of at most `columns`, all but the first behind `indent` spaces; the first begins at
// `column`. A word that is longer has a line of its own.
std::string wrapped(std::string_view text, std::size_t column, std::size_t indent,
                    std::size_t columns, std::string_view continued = "") {
  std::istringstream words{std::string(text)};
  std::string out;
  bool first = true;
  for (std::string word; words >> word; first = false) {
    if (!first && column + 1 + word.size() + continued.size() > columns) {
      out.append(continued).append("\n").append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

// A list of words, "--format a|b|c", in lines of at most `columns` that end behind a bar.
std::string cut(std::string name, std::size_t columns) {
  for (std::size_t begin = 0; name.size() - begin > columns;) {
    const std::size_t bar = name.rfind('|', begin + columns - 1);
    if (bar == std::string::npos || bar < begin) break;
    name.insert(bar + 1, "\n      ");
    begin = bar + 2;
  }
  return name;
}

class Page {
 public:
  Page() : columns_(std::clamp(columns_of(stdout), least_columns, most_columns)) {}

  void line(std::string_view text) { text_.append(text).append("\n"); }
  void paragraph(std::string_view text) { line(wrapped(text, 0, 0, columns_)); }

  // A name, and its meaning beside it or, where the name is long, below.
  void entry(const std::string& name, const std::string& meaning) {
    const bool below = name.size() + 4 > meaning_at;
    text_ += below ? fmt::format("  {}\n{:{}}", cut(name, columns_ - 2), "", meaning_at)
                   : fmt::format("  {:<{}}", name, meaning_at - 2);
    line(wrapped(meaning, meaning_at, meaning_at, columns_));
  }

  void also(const std::vector<std::string>& names) {
    if (names.empty()) return;
    line("  " + wrapped(fmt::format("also: {}", fmt::join(names, ", ")), 2, 4, columns_));
  }

  // Examples are wrapped so that a shell takes them as they are.
  void footer(const std::string& footer) {
    std::istringstream lines(footer);
    for (std::string each; std::getline(lines, each);)
      line(each.starts_with(' ') ? "  " + wrapped(each, 2, 6, columns_, " \\") : each);
  }

  std::string text() { return std::move(text_); }

 private:
  const std::size_t columns_;
  std::string text_;
};

bool is_rare(const CLI::Option& option) {
  const auto& names = option.get_lnames();
  return !names.empty() && std::ranges::binary_search(rare, std::string_view(names.front()));
}

void add_positionals(Page& page, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) {
      page.line("");
      page.entry(name_of(*option), meaning_of(*option));
    }
}

void add_group(Page& page, const Options& options, const char* name, bool all) {
  if (options.empty()) return;
  page.line(fmt::format("\n{}:", name));
  std::vector<std::string> named;
  for (const CLI::Option* option : options) {
    if (all || !is_rare(*option))
      page.entry(name_of(*option), meaning_of(*option));
    else
      named.push_back("--" + option->get_lnames().front());
  }
  page.also(named);
}

void add_commands(Page& page, const CLI::App& root) {
  page.line("\nCommands:");
  for (const CLI::App* command : root.get_subcommands({}))
    page.entry(command->get_name(), command->get_description());
}

void add_command(Page& page, const CLI::App& app, const std::string& name, bool all) {
  page.paragraph(app.get_description());
  page.line("\nUsage: " + usage_of(app, name));
  add_positionals(page, app);
  if (app.get_parent() == nullptr) add_commands(page, app);
  for (const char* const group : groups) add_group(page, options_of(app, group), group, all);
}

// What the commands take besides what all of them do.
void add_all_commands(Page& page, const CLI::App& root, const std::string& name) {
  for (const CLI::App* command : root.get_subcommands({})) {
    page.line(fmt::format("\n\n{} {}: {}", name, command->get_name(), command->get_description()));
    for (const char* const group : groups)
      if (group != intaglio::group::general)
        add_group(page, options_of(*command, group), group, true);
  }
}

}  // namespace

std::span<const std::string_view> rare_options() { return rare; }

std::string Help::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  const bool all = mode == CLI::AppFormatMode::All, root = app->get_parent() == nullptr;
  Page page;
  add_command(page, *app, name, all);
  if (!app->get_footer().empty()) {
    page.line("");
    page.footer(app->get_footer());
  }
  if (root && all) add_all_commands(page, *app, name);
  if (!all) {
    page.line("");
    page.paragraph(root ? fmt::format("'{0} COMMAND --help' shows what a command takes, '{0} "
                                      "COMMAND --help all' with all that is rare.",
                                      name)
                        : fmt::format("'{} --help all' tells what each option means.", name));
  }
  return page.text();
}

}  // namespace intaglio
