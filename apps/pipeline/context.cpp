#include "apps/pipeline/context.h"

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/parallel.h"

namespace intaglio {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::size_t Context::worker_count() const { return thread_count(threads); }

Progress Context::progress(std::string phase) const {
  if (!show) return {};
  return show(part.empty() ? std::move(phase) : part + ", " + phase);
}

bool Context::tell(const std::string& line) {
  if (!told_.insert(line).second) return false;
  if (say) say(line);
  return true;
}

Context::PhaseTimer::PhaseTimer(Context& c, std::string n) : context(c), name(std::move(n)) {}

Context::PhaseTimer::~PhaseTimer() {
  const double seconds = seconds_since(start);
  context.phases.emplace_back(name, seconds);
  if (context.verbose)
    log::info("{}: {:.3f} s, peak memory {}", name, seconds, human_bytes(peak_memory()));
}

double Context::seconds() const { return seconds_since(start_); }

double Context::seconds_of(const std::string& phase) const {
  double sum = 0;
  for (const auto& [name, seconds] : phases)
    if (name == phase) sum += seconds;
  return sum;
}

}  // namespace intaglio
