#include "apps/commands/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace intaglio {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

bool is_terminal(std::FILE* channel) { return ::isatty(::fileno(channel)) == 1; }

std::size_t columns_of(std::FILE* channel) {
  const std::string_view told = environment("COLUMNS");
  std::size_t columns = 0;
  std::from_chars(told.data(), told.data() + told.size(), columns);
  if (columns > 0) return columns;
  struct winsize size {};
  if (::ioctl(::fileno(channel), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool takes_colour(std::FILE* channel) {
  const std::string_view terminal = environment("TERM");
  return is_terminal(channel) && environment("NO_COLOR").empty() && !terminal.empty() &&
         terminal != "dumb";
}

std::string painted(std::FILE* channel, Colour colour, std::string_view text) {
  if (!takes_colour(channel)) return std::string(text);
  const int code = colour == Colour::red ? 31 : colour == Colour::green ? 32 : 33;
  return fmt::format("\033[1;{}m{}\033[0m", code, text);
}

}  // namespace intaglio
