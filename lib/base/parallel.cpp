#include "lib/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lib/base/progress.h"
#include "lib/base/team.h"
#include "lib/base/threads.h"

namespace intaglio {

void parallel_for(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t worker, std::size_t i)>& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr error;
  std::size_t error_index = count;

  const std::size_t workers = std::min(threads, count);
  const auto work = [&](std::size_t worker) {
    const auto note = [&](std::size_t i) {
      const std::lock_guard lock(mutex);
      if (i <= error_index) error = std::current_exception(), error_index = i;
      stop = true;
    };
    std::optional<Team> team;
    std::optional<Team::Use> use;
    try {
      if (workers > 0 && threads / workers > 1) use.emplace(team.emplace(threads / workers));
    } catch (...) {
      note(0);
    }
    for (std::size_t i; !stop && (i = next++) < count;) {
      try {
        check_interrupt();
        body(worker, i);
      } catch (...) {
        note(i);
      }
    }
  };
  std::vector<std::jthread> others;
  others.reserve(workers);
  try {
    for (std::size_t w = 1; w < workers; ++w)
      others.push_back(start_thread([&work, w] { work(w); }));
  } catch (...) {
    stop = true;  // those that did start are joined when `others` dies
    throw;
  }
  work(0);
  others.clear();  // joins
  if (error) std::rethrow_exception(error);
}

std::size_t thread_count(int wanted) {
  if (wanted > 0) return static_cast<std::size_t>(wanted);
  cpu_set_t set;
  const bool known = ::sched_getaffinity(0, sizeof(set), &set) == 0;
  return std::max(1,
                  known ? CPU_COUNT(&set) : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace intaglio
