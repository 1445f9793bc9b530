// Parallel work over independent samples.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <type_traits>
#include <utility>

namespace intaglio {

// Calls body(worker, i) once for every i in [0, count), on `threads` workers numbered 0.. (the
// calling thread is worker 0). Order and assignment are unspecified: a deterministic result is the
// caller's duty (write to slot i, or merge with an operation that does not depend on order). The
// first exception, in order of i among those thrown, stops the rest and is rethrown. An interrupt
// (progress.h) is noticed between two calls. Of threads that have nothing to do, because there are
// fewer i, each worker gets an equal number to split its loops with (team.h).
void parallel_for(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t worker, std::size_t i)>& body);

// Calls make(i) as parallel_for does, and take(i, result) with each result: one at a time, in the
// order of i, so that sums do not depend on threads. A result waits for those before it and no
// longer.
template <typename Make, typename Take>
void parallel_in_order(std::size_t count, std::size_t threads, Make&& make, Take&& take) {
  std::map<std::size_t, std::invoke_result_t<Make&, std::size_t>> waiting;
  std::size_t next = 0;
  std::mutex mutex;
  parallel_for(count, threads, [&](std::size_t, std::size_t i) {
    auto result = make(i);
    const std::lock_guard lock(mutex);
    waiting.emplace(i, std::move(result));
    for (auto it = waiting.begin(); it != waiting.end() && it->first == next; ++next) {
      take(it->first, std::move(it->second));
      it = waiting.erase(it);
    }
  });
}

// `wanted` if positive, otherwise the number of usable cores (at least 1).
std::size_t thread_count(int wanted);

}  // namespace intaglio
