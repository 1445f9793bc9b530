// What the program prints goes through here. Printing never throws: results that cannot be written
// to stdout are told once, at the end, and messages that nobody can read change nothing.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace intaglio {

// Results, to stdout. Not for several threads at once.
void put_out(std::string_view text) noexcept;

template <typename... T>
void print_out(fmt::format_string<T...> format, T&&... arguments) {
  put_out(fmt::format(format, std::forward<T>(arguments)...));
}

// Messages and progress, to stderr, at once.
void put_err(std::string_view text) noexcept;

template <typename... T>
void print_err(fmt::format_string<T...> format, T&&... arguments) {
  put_err(fmt::format(format, std::forward<T>(arguments)...));
}

// A message of one line.
void put_line(const std::string& line) noexcept;

// Flushes stdout. Throws Code::io with the system's reason when a result could not be written.
void require_printed();

}  // namespace intaglio
