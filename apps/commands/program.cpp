#include "apps/commands/program.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "apps/commands/command_line.h"
#include "apps/commands/help.h"
#include "apps/commands/manual.h"
#include "apps/commands/print.h"
#include "apps/commands/progress_line.h"
#include "apps/commands/terminal.h"
#include "apps/commands/usage.h"
#include "apps/commands/version.h"
#include "apps/options/config_file.h"
#include "apps/options/group.h"
#include "apps/options/links.h"
#include "apps/options/memory.h"
#include "apps/report/flags.h"
#include "lib/base/log.h"

namespace intaglio {
namespace {

constexpr const char* help_all = "--help-all";

// The message of a line of the log, with flags for settings: the libraries warn too.
class MessageWithFlags : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    const std::string text = with_flags({message.payload.data(), message.payload.size()});
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<MessageWithFlags>();
  }
};

void set_up_log(const CommandLine& line) {
  auto logger = spdlog::stderr_color_mt(
      "intaglio", takes_colour(stderr) ? spdlog::color_mode::always : spdlog::color_mode::never);
  auto lines = std::make_unique<spdlog::pattern_formatter>();
  lines->add_flag<MessageWithFlags>('*').set_pattern("%^%l%$: %*");
  logger->set_formatter(std::move(lines));
  logger->set_level(line.context.verbose ? spdlog::level::info
                    : line.quiet         ? spdlog::level::err
                                         : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void add_help(CLI::App& app) {
  begin_group(app, group::general);
  app.set_help_flag("-h,--help", "What is essential; '--help all' tells everything");
  app.set_help_all_flag(help_all)->group("");
}

// "--help all" as the parser knows it.
void join_help_all(std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
    if ((arguments[i] == "--help" || arguments[i] == "-h") && arguments[i + 1] == "all") {
      arguments[i] = help_all;
      arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
}

void build(CLI::App& root, CommandLine& line) {
  root.require_subcommand(1);
  root.fallthrough();
  root.formatter(std::make_shared<Help>());
  add_help(root);
  root.set_version_flag(
      "--version", std::string("intaglio " INTAGLIO_VERSION),
      "Print the version; with --verbose also libraries, instruction sets, limits");
  root.add_flag_callback(
      "--man", [&root] { throw CLI::CallForVersion(manual_page(root), 0); },  // is printed as it is
      "Print the manual page: 'intaglio --man | man -l -'");
  root.add_option("--threads", line.context.threads, "Worker threads; 0: one per usable core")
      ->type_name("N")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_memory_option(root);
  add_links_option(root);
  root.add_flag("--verbose", line.context.verbose,
                "One line per phase with its seconds and peak memory");
  root.add_flag("--quiet", line.quiet, "No progress and no warnings on stderr");
  add_quantize(root, line);
  add_calibrate(root, line);
  add_merge(root, line);
  add_compare(root, line);
  add_evaluate(root, line);
  add_run(root, line);
  add_check(root, line);
  add_analyze(root, line);
  add_inspect(root, line);
  add_diff(root, line);
  add_preview(root, line);
  add_completion(root, line);
  for (CLI::App* command : root.get_subcommands({})) {
    add_help(*command);
    command->add_option("--config", line.config, "A JSON file with any of these options; flags win")
        ->type_name("FILE");
    command->add_flag("--print-config", line.print_config,
                      "Print the effective options as JSON and stop");
  }
}

}  // namespace

int run_program(std::vector<std::string> arguments) {
  CommandLine line;
  CLI::App root(
      "Intaglio quantizes FP32 ONNX models to INT8: calibrate, quantize, compare, from the shell.",
      "intaglio");
  build(root, line);
  join_help_all(arguments);
  require_values(root, arguments);
  ConfigFile config;
  arguments = expand_config(arguments, root, &config);
  line.context.outputs.keep("--config", config.path);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    root.parse(arguments);
  } catch (const CLI::Success& e) {
    std::ostringstream text;  // --help, --version, --man
    const int code = root.exit(e, text, text);
    if (root.count("--version") > 0 && root.count("--verbose") > 0)
      text << version_details() << "\n";
    put_out(text.str());
    return code;
  } catch (const CLI::ParseError& e) {
    if (const auto error = config_error(config, e)) throw *error;
    throw usage_error(root, e);
  }
  set_up_log(line);
  if (!line.quiet) line.context.show = progress_line, line.context.say = put_line;
  const CLI::App* command = root.get_subcommands().front();
  line.context.options = effective_config(*command);
  if (line.print_config) {
    print_out("{}\n", line.context.options.dump(2));
    return 0;
  }
  line.action();
  return 0;
}

}  // namespace intaglio
