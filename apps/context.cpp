#include "apps/context.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <numeric>

#include "lib/base/log.h"
#include "lib/base/parallel.h"

namespace intaglio {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of this program alone: getrusage() also counts what the process was before exec().
std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return 1024 * std::stoull(line.substr(6));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return 1024 * static_cast<std::uint64_t>(usage.ru_maxrss);
}

// On a terminal one live line with rate and time left; elsewhere a line per 10 %.
class ProgressLine {
 public:
  explicit ProgressLine(std::string phase) : phase_(std::move(phase)) {}

  void operator()(std::size_t done, std::size_t total) {
    if (total == 0) return;
    if (!started_) start_ = Clock::now();
    started_ = true;
    const double elapsed = std::max(seconds_since(start_), 1e-9);
    const double rate = static_cast<double>(done) / elapsed;
    const double left = static_cast<double>(total - done) / std::max(rate, 1e-9);
    const std::string text = fmt::format("{}: {}/{} ({} %), {:.1f}/s, {:.0f} s left", phase_, done,
                                         total, done * 100 / total, rate, left);
    if (terminal_) {
      fmt::print(stderr, "\r\033[K{}{}", text, done == total ? "\n" : "");
    } else if (done * 10 / total > tenths_) {
      tenths_ = done * 10 / total;
      fmt::print(stderr, "{}\n", text);
    }
    std::fflush(stderr);
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  const std::string phase_;
  std::size_t tenths_ = 0;
  bool started_ = false;
  Clock::time_point start_;
};

}  // namespace

std::size_t Context::worker_count() const { return thread_count(threads); }

Progress Context::progress(std::string phase) const {
  if (quiet) return {};
  return [line = std::make_shared<ProgressLine>(std::move(phase))](
             std::size_t done, std::size_t total) { (*line)(done, total); };
}

Context::PhaseTimer::PhaseTimer(Context& c, std::string n) : context(c), name(std::move(n)) {}

Context::PhaseTimer::~PhaseTimer() {
  const double seconds = seconds_since(start);
  context.phases.emplace_back(name, seconds);
  if (context.verbose)
    log::info("{}: {:.3f} s, peak memory {}", name, seconds, human_bytes(peak_memory_bytes()));
}

double Context::seconds() const { return seconds_since(start_); }

double Context::seconds_of(const std::string& phase) const {
  double sum = 0;
  for (const auto& [name, seconds] : phases)
    if (name == phase) sum += seconds;
  return sum;
}

Json Context::run_json(std::size_t samples, double sample_seconds) const {
  Json list = Json::object();
  for (const auto& [name, seconds] : phases) list[name] = list.value(name, 0.0) + seconds;
  return {
      {"threads", worker_count()},
      {"wall_s", seconds()},
      {"phases", list},
      {"samples_per_s", sample_seconds > 0 ? static_cast<double>(samples) / sample_seconds : 0.0},
      {"peak_memory_bytes", peak_memory_bytes()}};
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c >= width.size()) width.push_back(0), numeric.push_back(true);
      width[c] = std::max(width[c], rows[r][c].size());
      if (r > 0 && !rows[r][c].empty() &&
          rows[r][c].find_first_not_of("0123456789.-+ %MkGB") != std::string::npos)
        numeric[c] = false;
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c)
      line += numeric[c] && c > 0 ? fmt::format("{:>{}}  ", row[c], width[c])
                                  : fmt::format("{:<{}}  ", row[c], width[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

std::string percent(double value) { return fmt::format("{:.2f}", value); }

}  // namespace intaglio
