// The command line: parses, runs the chosen command, and turns what it throws into two lines and an
// exit code. This is the only try/catch for errors and the only place that knows exit codes.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "apps/commands/program.h"
#include "apps/report/flags.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/progress.h"

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

int report(const Error& error) {
  fmt::print(stderr, "intaglio: {}\n", with_flags(error.what()));
  if (!error.remedy().empty()) fmt::print(stderr, "  {}\n", with_flags(error.remedy()));
  return static_cast<int>(error.code());
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
    const int code = run_program({argv + 1, argv + argc});
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
