#include "apps/commands/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "apps/commands/print.h"

namespace intaglio {
namespace {

using Clock = std::chrono::steady_clock;

class Line {
 public:
  explicit Line(std::string phase) : phase_(std::move(phase)) {}

  void show(std::size_t done, std::size_t total) {
    if (total == 0) return;
    if (!started_) start_ = Clock::now();
    started_ = true;
    const std::chrono::duration<double> since = Clock::now() - start_;
    const double rate = static_cast<double>(done) / std::max(since.count(), 1e-9);
    const double left = static_cast<double>(total - done) / std::max(rate, 1e-9);
    const std::string text = fmt::format("{}: {}/{} ({} %), {:.1f}/s, {:.0f} s left", phase_, done,
                                         total, done * 100 / total, rate, left);
    if (terminal_) {
      print_err("\r\033[K{}{}", text, done == total ? "\n" : "");
    } else if (done * 10 / total > tenths_) {
      tenths_ = done * 10 / total;
      print_err("{}\n", text);
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

Progress progress_line(std::string phase) {
  return [line = std::make_shared<Line>(std::move(phase))](std::size_t done, std::size_t total) {
    line->show(done, total);
  };
}

}  // namespace intaglio
