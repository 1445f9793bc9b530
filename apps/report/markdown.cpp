#include "apps/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "apps/report/escaped.h"

namespace intaglio {
namespace {

bool is_number(const std::string& cell) {
  return cell.find_first_not_of("0123456789.-+ %()") == std::string::npos;
}

bool holds_numbers(const Rows& rows, std::size_t column) {
  return column > 0 && std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
           return column >= row.size() || is_number(row[column]);
         });
}

}  // namespace

std::string markdown(std::string_view text) {
  constexpr std::string_view special = "\\`*_{}[]#|~!";
  std::string out;
  for (const char c : escaped(text)) {
    if (c == '\n') {
      out += ' ';
      continue;
    }
    // A reference of `escaped` holds none of them but '#', which begins a heading nowhere else
    // than at the start of a line.
    if (special.find(c) != std::string_view::npos && !(c == '#' && !out.empty())) out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_table(const Rows& rows) {
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text += "|";
    for (const std::string& cell : rows[r]) text += " " + markdown(cell) + " |";
    text += "\n";
    if (r > 0) continue;
    text += "|";
    for (std::size_t c = 0; c < rows[0].size(); ++c)
      text += holds_numbers(rows, c) ? " ---: |" : " --- |";
    text += "\n";
  }
  return text;
}

std::string markdown_details(std::string_view title, const std::string& body) {
  return fmt::format("<details>\n<summary>{}</summary>\n\n{}\n</details>\n", escaped(title), body);
}

}  // namespace intaglio
