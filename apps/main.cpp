// The command line: parses, runs the chosen command, and turns what it throws into two lines and an
// exit code. This is the only try/catch for errors and the only place that knows exit codes.
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "apps/config_file.h"
#include "apps/context.h"
#include "apps/memory_option.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/nearest.h"

namespace intaglio {
namespace {

// The first signal asks the running phase to stop at its next step; the second one ends the
// process.
extern "C" void on_signal(int) {
  static volatile std::sig_atomic_t signals = 0;
  signals = signals + 1;
  request_interrupt();
  if (signals > 1) {
    remove_temporary_files();
    ::_exit(static_cast<int>(Code::interrupted));
  }
}

// Values that one thread made are freed on another: with arenas of their own, threads would each
// keep memory that the others could use. With a single one they would wait for each other.
void share_memory_among_threads() {
#ifdef M_ARENA_MAX
  ::mallopt(M_ARENA_MAX, 2);
#endif
}

void set_up_log(const Context& context) {
  const bool plain = std::getenv("NO_COLOR") != nullptr;
  auto logger = spdlog::stderr_color_mt(
      "intaglio", plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(context.verbose ? spdlog::level::info
                    : context.quiet ? spdlog::level::err
                                    : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

int report(const Error& error) {
  fmt::print(stderr, "intaglio: {}\n", error.what());
  if (!error.remedy().empty()) fmt::print(stderr, "  {}\n", error.remedy());
  return static_cast<int>(error.code());
}

// What the parser says; of an option that is not there, the nearest one that is.
Error usage_error(const CLI::App& root, const CLI::ParseError& e) {
  const auto chosen = root.get_subcommands();
  const CLI::App& command = chosen.empty() ? root : *chosen.front();
  const std::string name = chosen.empty() ? "intaglio" : "intaglio " + command.get_name();
  const std::string help = fmt::format("See '{} --help'.", name);
  std::vector<std::string> known;
  for (const CLI::App* app : {&command, &root})
    for (const CLI::Option* option : app->get_options())
      for (const std::string& word : option->get_lnames()) known.push_back("--" + word);
  const std::vector<std::string_view> options(known.begin(), known.end());
  for (const std::string& extra : root.remaining(/*recurse=*/true)) {
    if (!extra.starts_with("--")) continue;
    const std::string word = extra.substr(0, extra.find('='));
    const std::string_view meant = nearest(word, options);
    return Error(Code::usage, fmt::format("'{}' has no option {}", name, word),
                 meant.empty() ? help : fmt::format("Did you mean {}? {}", meant, help));
  }
  return Error(Code::usage, e.what(), help);
}

void build(CLI::App& root, Context& context) {
  root.require_subcommand(1);
  root.fallthrough();
  root.set_version_flag("--version", std::string("intaglio " INTAGLIO_VERSION));
  root.add_option("--threads", context.threads, "Worker threads; 0: one per usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_memory_option(root);
  root.add_flag("--verbose", context.verbose,
                "One line per phase with its seconds and peak memory");
  root.add_flag("--quiet", context.quiet, "No progress and no warnings on stderr");
  add_quantize(root, context);
  add_calibrate(root, context);
  add_merge(root, context);
  add_compare(root, context);
  add_evaluate(root, context);
  add_run(root, context);
  add_check(root, context);
  add_analyze(root, context);
  add_inspect(root, context);
  for (CLI::App* command : root.get_subcommands({})) {
    command
        ->add_option("--config", context.config, "A JSON file with any of these options; flags win")
        ->type_name("FILE");
    command->add_flag("--print-config", context.print_config,
                      "Print the effective options as JSON and stop");
  }
}

int run(std::vector<std::string> arguments) {
  Context context;
  CLI::App root(
      "Intaglio presses FP32 ONNX models into INT8: calibrate, quantize, compare, from the shell.",
      "intaglio");
  build(root, context);
  arguments = expand_config(arguments, root);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    root.parse(arguments);
  } catch (const CLI::Success& e) {
    return root.exit(e);  // --help, --version
  } catch (const CLI::ParseError& e) {
    return report(usage_error(root, e));
  }
  set_up_log(context);
  const CLI::App* command = root.get_subcommands().front();
  if (context.print_config) {
    fmt::print("{}\n", effective_config(*command).dump(2));
    return 0;
  }
  context.action();
  return 0;
}

}  // namespace
}  // namespace intaglio

int main(int argc, char** argv) {
  using namespace intaglio;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  share_memory_among_threads();
  try {
    const int code = run({argv + 1, argv + argc});
    if (std::fflush(stdout) != 0) throw Error(Code::io, "standard output: cannot write");
    return code;
  } catch (const Error& e) {
    return report(e);
  } catch (const std::bad_alloc&) {
    return report(
        Error(Code::internal, "out of memory", "Use fewer --threads or a larger machine."));
  } catch (const std::exception& e) {
    return report(
        Error(Code::internal, e.what(), "Please report this with the command and the model."));
  }
}
