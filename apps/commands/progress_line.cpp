#include "apps/commands/progress_line.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <memory>

#include "apps/commands/print.h"
#include "apps/commands/terminal.h"

namespace intaglio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double blink = 0.3, meaningful = 0.5;  // seconds
constexpr double apart = 5;                      // between lines where there is no terminal

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// When the last line was printed where there is no terminal; at first, when the program began.
Clock::time_point last_line = Clock::now();

class Line {
 public:
  explicit Line(std::string phase) : phase_(std::move(phase)) {}

  void show(std::size_t done, std::size_t total) {
    if (total == 0 || finished_) return;
    finished_ = done == total;
    const double seconds = seconds_since(start_);
    if (!terminal_) return show_seldom(done, total, seconds);
    if (!shown_ && seconds < blink) return;
    shown_ = true;
    print_err("\r\033[K{}", progress_text(phase_, done, total, seconds, columns_of(stderr)));
    if (done == total) put_err("\n");
  }

 private:
  void show_seldom(std::size_t done, std::size_t total, double seconds) {
    if (done * 10 / total <= tenths_ || seconds_since(last_line) < apart) return;
    tenths_ = done * 10 / total;
    last_line = Clock::now();
    print_err("{}\n", progress_text(phase_, done, total, seconds));
  }

  const bool terminal_ = is_terminal(stderr);
  const std::string phase_;
  const Clock::time_point start_ = Clock::now();
  std::size_t tenths_ = 0;
  bool shown_ = false, finished_ = false;
};

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_text(const std::string& phase, std::size_t done, std::size_t total,
                          double seconds, std::size_t columns) {
  std::string text = fmt::format("{}: {} of {}", phase, done, total);
  if (done == total) {
    text += fmt::format(", {}", duration_text(seconds));
  } else if (done > 0 && seconds >= meaningful) {
    const double rate = static_cast<double>(done) / seconds;
    if (rate >= 0.1) text += fmt::format(", {:.1f} a second", rate);
    if (const double left = static_cast<double>(total - done) / rate; left >= 1)
      text +=
          fmt::format(", {} left", left < 10 ? fmt::format("{:.0f} s", left) : duration_text(left));
  }
  if (columns > 1 && text.size() >= columns) text.resize(columns - 1);
  return text;
}

Progress progress_line(std::string phase) {
  return [line = std::make_shared<Line>(std::move(phase))](std::size_t done, std::size_t total) {
    line->show(done, total);
  };
}

}  // namespace intaglio
