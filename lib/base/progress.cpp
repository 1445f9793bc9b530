#include "lib/base/progress.h"

#include <atomic>

#include "lib/base/error.h"

namespace intaglio {
namespace {
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "must be safe in a signal handler");
}  // namespace

void request_interrupt() noexcept { interrupted = true; }

bool interrupt_requested() noexcept { return interrupted; }

void accept_interrupt() noexcept { interrupted = false; }

void check_interrupt() {
  if (interrupted) throw Error(Code::interrupted, "interrupted", "No output was written.");
}

}  // namespace intaglio
