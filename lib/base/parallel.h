// Parallel work over independent samples.
#pragma once

#include <cstddef>
#include <functional>

namespace intaglio {

// Calls body(worker, i) once for every i in [0, count), on `threads` workers numbered 0.. (the
// calling thread is worker 0). Order and assignment are unspecified: a deterministic result is the
// caller's duty (write to slot i, or merge with an operation that does not depend on order). The
// first exception, in order of i among those thrown, stops the rest and is rethrown. An interrupt
// (progress.h) is noticed between two calls. Of threads that have nothing to do, because there are
// fewer i, each worker gets an equal number to split its loops with (team.h).
void parallel_for(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t worker, std::size_t i)>& body);

// `wanted` if positive, otherwise the number of usable cores (at least 1).
std::size_t thread_count(int wanted);

}  // namespace intaglio
