// The command line: parses, runs the chosen command, and turns what it throws into two lines and an
// exit code. This is the only try/catch for errors and the only place that knows exit codes.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "apps/commands/fault.h"
#include "apps/commands/print.h"
#include "apps/commands/program.h"
#include "apps/commands/terminal.h"
#include "apps/report/flags.h"
#include "apps/signals.h"
#include "lib/base/temporary_file.h"

namespace intaglio {
namespace {

// Values that one thread made are freed on another: with arenas of their own, threads would each
// keep memory that the others could use. With a single one they would wait for each other.
void share_memory_among_threads() {
#ifdef M_ARENA_MAX
  ::mallopt(M_ARENA_MAX, 2);
#endif
}

void tell(const Error& error) noexcept {
  try {
    print_err("{} {}\n", painted(stderr, Colour::red, "intaglio:"), with_flags(error.what()));
    if (!error.remedy().empty()) print_err("  {}\n", with_flags(error.remedy()));
  } catch (...) {  // there is no memory for more words
    put_err("intaglio: ");
    put_err(error.what());
    put_err("\n");
  }
}

int report(const std::exception_ptr& thrown) noexcept {
  try {
    const Error error = fault_of(thrown);
    tell(error);
    return static_cast<int>(error.code());
  } catch (...) {
    put_err("intaglio: out of memory\n");
    return static_cast<int>(Code::unsupported);
  }
}

// For what is thrown where nothing may be: the message, the code and no temporary files all the
// same.
[[noreturn]] void on_terminate() {
  const std::exception_ptr thrown = std::current_exception();
  const int code = thrown ? report(thrown) : static_cast<int>(Code::internal);
  remove_temporary_files();
  ::_exit(code);
}

int run(int argc, char** argv) {
  try {
    const int code = run_program({argv + 1, argv + argc});
    require_printed();
    return code;
  } catch (...) {
    return report(std::current_exception());
  }
}

}  // namespace
}  // namespace intaglio

int main(int argc, char** argv) {
  using namespace intaglio;
  install_signal_handlers();
  occupy_standard_channels();
  std::set_terminate(on_terminate);
  share_memory_among_threads();
  return run(argc, argv);
}
