#include "lib/base/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/threads.h"

namespace intaglio {
namespace {

thread_local Team* in_use = nullptr;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

// A loop is open while its number is odd. Helpers enter, look whether it is still open, take parts
// until none is left, and leave; the owner closes it when all parts have ended, and waits for those
// that are inside. So it waits for nobody who sleeps.
struct Team::Shared {
  std::atomic<std::uint32_t> number{0};
  std::atomic<int> inside{0}, asleep{0};
  std::atomic<std::int64_t> next{0}, ended{0};
  std::int64_t parts = 0, count = 0;
  const Part* body = nullptr;
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr error;
  std::vector<std::jthread> helpers;

  void take_parts() {
    for (std::int64_t p; (p = next.fetch_add(1)) < parts; ended.fetch_add(1)) try {
        (*body)(count * p / parts, count * (p + 1) / parts);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
  }

  // A network asks again within microseconds: sleeping would cost more than the wait.
  std::uint32_t await_change(std::uint32_t seen) {
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + std::chrono::microseconds(100);
    do {
      for (int i = 0; i < 64; ++i, relax())
        if (const std::uint32_t now = number.load(); now != seen) return now;
    } while (Clock::now() < until);
    asleep.fetch_add(1);
    number.wait(seen);
    asleep.fetch_sub(1);
    return number.load();
  }

  void help() {
    std::uint32_t seen = 0;
    while (!stop) {
      seen = await_change(seen);
      if (seen % 2 == 0) continue;
      inside.fetch_add(1);
      if (number.load() == seen) take_parts();
      inside.fetch_sub(1);
    }
  }

  void dismiss() {
    stop = true;
    number.fetch_add(2);
    number.notify_all();
  }

  void change() {
    number.fetch_add(1);
    if (asleep.load() > 0) number.notify_all();
  }
};

Team::Team(std::size_t threads) : shared_(std::make_unique<Shared>()) {
  try {
    for (std::size_t i = 1; i < threads; ++i)
      shared_->helpers.push_back(start_thread([shared = shared_.get()] { shared->help(); }));
  } catch (...) {
    shared_->dismiss();  // those that did start
    throw;
  }
}

Team::~Team() { shared_->dismiss(); }

std::size_t Team::size() const { return shared_->helpers.size() + 1; }

Team::Use::Use(Team& team) : before_(std::exchange(in_use, team.size() > 1 ? &team : nullptr)) {}
Team::Use::~Use() { in_use = before_; }

Team* team_in_use() { return in_use; }

void split_in_team(Team& team, std::int64_t count, std::int64_t least, const Team::Part& body) {
  Team::Shared& s = *team.shared_;
  s.count = count;
  s.parts = std::min(count / least, 2 * static_cast<std::int64_t>(team.size()));
  s.body = &body;
  s.next = 0;
  s.ended = 0;
  in_use = nullptr;
  s.change();
  s.take_parts();
  while (s.ended.load() < s.parts) relax();
  s.number.fetch_add(1);  // closes it
  while (s.inside.load() > 0) relax();
  in_use = &team;
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

}  // namespace intaglio
