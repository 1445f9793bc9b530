#include "apps/commands/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "apps/commands/option_text.h"
#include "apps/options/group.h"
#include "lib/base/error.h"

namespace intaglio {
namespace {

struct Described {
  std::string_view name, meaning;
};

struct ExitCode {
  int code;
  std::string_view meaning;
};

// As docs/cli.md has them.
constexpr std::array exit_codes = {
    ExitCode{0, "done"},
    ExitCode{int(Code::internal), "a bug"},
    ExitCode{int(Code::usage), "wrong command line"},
    ExitCode{int(Code::config),
             "wrong target, preset, plan or --config file, or options that the target or form "
             "cannot have"},
    ExitCode{int(Code::io), "a file, or stdout, cannot be read or written"},
    ExitCode{int(Code::model), "the model is malformed or inconsistent"},
    ExitCode{int(Code::unsupported),
             "the model is fine, but asks for what the program cannot do, or the system has no "
             "memory or threads for it"},
    ExitCode{int(Code::data), "the calibration or evaluation data is unusable"},
    ExitCode{int(Code::accuracy),
             "a gate was missed, run --expect found a difference, or a model does not fit its "
             "target; outputs are written"},
    ExitCode{int(Code::interrupted), "interrupted"},
};

constexpr std::array environment = {
    Described{"INTAGLIO_CONFIGS",
              "A folder of targets (NAME.json) and presets (preprocess/NAME.json) that are looked "
              "up before those of the installation."},
    Described{"COLUMNS", "Width of help; default: that of the terminal."},
    Described{"NO_COLOR", "Where it is set and not empty, nothing is coloured; so with TERM=dumb."},
};

constexpr std::array files = {
    Described{"share/intaglio/configs/*.json",
              "Targets, beside the folder of the program; their comments name the sources."},
    Described{"share/intaglio/configs/preprocess/*.json", "Presets of --preprocess."},
};

// Text that roff takes as it is. Hyphens are those that one can search and copy.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  // A dot or an apostrophe that begins a line is a request.
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

// The parts of the page, one after the other.
class Roff {
 public:
  void section(std::string_view title) { text_ += fmt::format(".SH \"{}\"\n", plain(title)); }
  void subsection(std::string_view title) { text_ += fmt::format(".SS \"{}\"\n", plain(title)); }
  void paragraph(const std::string& marked) { text_ += ".PP\n" + marked + "\n"; }
  void entry(const std::string& tag, std::string_view meaning) {
    text_ += ".TP\n" + tag + "\n" + plain(meaning) + "\n";
  }
  void example(std::string_view command) {
    text_ += ".PP\n.RS 4\n.nf\n" + plain(command) + "\n.fi\n.RE\n";
  }
  void line(const std::string& marked) { text_ += marked + "\n"; }
  std::string text() { return text_.substr(0, text_.size() - 1); }

 private:
  std::string text_;
};

// "-o, --output FILE" with the names in bold and the value in italics.
std::string tag_of(const CLI::Option& option) {
  if (option.get_positional()) return italic(name_of(option));
  std::string tag;
  for (const std::string& name : option.get_snames()) tag += bold("-" + name) + ", ";
  for (const std::string& name : option.get_lnames()) tag += bold("--" + name) + ", ";
  tag.resize(tag.size() - 2);
  if (option.get_expected_max() > 0) tag += " " + italic(type_of(option));
  return option.get_expected_max() == CLI::detail::expected_max_vector_size ? tag + " ..." : tag;
}

void add_group(Roff& page, const CLI::App& app, const char* group) {
  Options own = options_of(app, group);
  std::erase_if(own, [&](const CLI::Option* option) {
    const auto all = app.get_options();
    return std::ranges::find(all, option) == all.end();
  });
  if (own.empty()) return;
  page.paragraph(bold(group));
  for (const CLI::Option* option : own) page.entry(tag_of(*option), meaning_of(*option));
}

void add_examples(Roff& page, const CLI::App& command) {
  std::istringstream lines(command.get_footer());
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t at = line.find_first_not_of(' '); at != 0 && at != line.npos)
      page.example(std::string_view(line).substr(at));
}

void add_command(Roff& page, const CLI::App& command) {
  page.subsection(usage_of(command, "intaglio " + command.get_name()));
  page.line(plain(command.get_description() + "."));
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional()) page.entry(tag_of(*option), meaning_of(*option));
  for (const char* const group : groups) add_group(page, command, group);
  add_examples(page, command);
}

}  // namespace

std::string manual_page(const CLI::App& root) {
  Roff page;
  page.line(".TH INTAGLIO 1 \"\" \"intaglio " INTAGLIO_VERSION "\" \"User Commands\"");
  page.section("NAME");
  page.line("intaglio \\- quantize ONNX models");
  page.section("SYNOPSIS");
  page.line(bold("intaglio") + " " + italic("COMMAND") + " [" + italic("options") + "]");
  page.section("DESCRIPTION");
  page.line(plain(root.get_description()));
  page.paragraph(
      plain("Any option of a command can stand in a JSON file that --config names; "
            "options on the command line win. Results go to stdout, progress and "
            "messages to stderr."));
  page.section("COMMANDS");
  for (const CLI::App* command : root.get_subcommands({})) add_command(page, *command);
  page.section("OPTIONS OF ALL COMMANDS");
  for (const char* const group : groups)
    for (const CLI::Option* option : options_of(root, group))
      page.entry(tag_of(*option), meaning_of(*option));
  page.section("EXIT STATUS");
  for (const ExitCode& each : exit_codes) page.entry(bold(std::to_string(each.code)), each.meaning);
  page.section("ENVIRONMENT");
  for (const Described& each : environment) page.entry(bold(each.name), each.meaning);
  page.section("FILES");
  for (const Described& each : files) page.entry(italic(each.name), each.meaning);
  return page.text();
}

}  // namespace intaglio
