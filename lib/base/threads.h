// Threads whose start can fail in a way that users can mend.
#pragma once

#include <fmt/format.h>

#include <system_error>
#include <thread>
#include <utility>

#include "lib/base/error.h"

namespace intaglio {

// Throws Code::unsupported when the system has no more threads, or no memory for their stacks.
template <typename F>
std::jthread start_thread(F&& f) {
  try {
    return std::jthread(std::forward<F>(f));
  } catch (const std::system_error& e) {
    throw Error(Code::unsupported, fmt::format("a thread cannot be started: {}", e.what()),
                "Use fewer `threads`, or raise the limits of processes and memory (ulimit).");
  }
}

}  // namespace intaglio
