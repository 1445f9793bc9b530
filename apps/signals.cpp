#include "apps/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "lib/base/error.h"
#include "lib/base/mapped_files.h"
#include "lib/base/progress.h"
#include "lib/base/temporary_file.h"

namespace intaglio {
namespace {

// What asks a process and then its group, as timeout(1) does, asks once.
constexpr std::int64_t one_request = 300;  // milliseconds

std::atomic<unsigned> seconds_of_grace{0};
static_assert(std::atomic<unsigned>::is_always_lock_free, "must be safe in a signal handler");

// All that follows is called by handlers: nothing but async-signal-safe functions.

[[noreturn]] void end_process(Code code) {
  remove_temporary_files();
  ::_exit(static_cast<int>(code));
}

void tell(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;  // nobody reads it
}

std::int64_t milliseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
}

extern "C" void on_interrupt(int) {
  static std::atomic<std::int64_t> first{0};  // when the first one came
  request_interrupt();
  const std::int64_t now = milliseconds_now();
  std::int64_t none = 0;
  if (first.compare_exchange_strong(none, now)) {
    ::alarm(seconds_of_grace);
  } else if (now - first >= one_request) {
    tell("intaglio: interrupted\n  A second signal came; no output was written.\n");
    end_process(Code::interrupted);
  }
}

extern "C" void on_alarm(int) {
  if (!interrupt_requested()) return;  // it was honoured: what there was is being written
  tell("intaglio: interrupted\n  The running step did not end in time; no output was written.\n");
  end_process(Code::interrupted);
}

extern "C" void on_end(int signal) {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // waits until this handler returns
}

extern "C" void on_bus_error(int signal, siginfo_t* info, void*) {
  const char* path = info->si_code > 0 ? mapped_file_at(info->si_addr) : nullptr;
  if (path == nullptr) return on_end(signal);
  tell("intaglio: ");
  tell(path);
  tell(": the file changed while it was read\n  Run again when nobody writes to it.\n");
  end_process(Code::io);
}

// ---

bool has_default(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL;
}

// Also where the stack is full. Sanitizers have handlers of their own for some.
void remove_files_at_the_end() {
  static std::array<std::byte, 1 << 16> space;
  stack_t stack{};
  stack.ss_sp = space.data();
  stack.ss_size = space.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_end;
  action.sa_flags = SA_ONSTACK;
  for (const int signal :
       {SIGQUIT, SIGXCPU, SIGUSR1, SIGUSR2, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP})
    if (has_default(signal)) ::sigaction(signal, &action, nullptr);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void install_signal_handlers(unsigned grace) {
  seconds_of_grace = grace;
  handle(SIGALRM, on_alarm);
  handle(SIGINT, on_interrupt);
  handle(SIGTERM, on_interrupt);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, on_interrupt);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
  remove_files_at_the_end();
  sigset_t ours;  // a parent may have left them blocked
  ::sigemptyset(&ours);
  for (const int signal : {SIGALRM, SIGINT, SIGTERM, SIGHUP, SIGBUS}) ::sigaddset(&ours, signal);
  ::sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

void occupy_standard_channels() {
  for (const int channel : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(channel, F_GETFD) >= 0) continue;
    // For reading: writing to it fails, as it would to a closed one. A new file takes the lowest
    // number, which is this one.
    if (::open("/dev/null", O_RDONLY) < 0 && ::open("/", O_RDONLY | O_DIRECTORY) < 0) return;
  }
}

}  // namespace intaglio
