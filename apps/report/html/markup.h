// Pieces of HTML: text that is safe in a page, and numbers as people read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/report/escaped.h"
#include "lib/base/json.h"

namespace intaglio::html {

std::string code(std::string_view text);  // <code>, escaped

inline constexpr const char* no_number = "–";

// Four significant digits: "0.001234", "1.235e-07".
std::string significant(double value);

// The number in a report, or no_number for null and for a key that is not there. `format` is that
// of fmt, for a double.
std::string figure(const Json& object, const char* key, const char* format = "{:.4g}");

std::string grouped(std::uint64_t count);  // "12 345 678", with narrow no-break spaces

// A column of a table; `key` not empty: the table can be sorted by the cells with this data-k.
struct Column {
  std::string title, key;
  bool text = false;  // aligned and sorted as text, not as numbers
};
// A table in a box of its own that scrolls, also by keyboard, where the page is too narrow.
// `bodies`: its <tbody> elements.
std::string table(const std::string& caption, const std::vector<Column>& columns,
                  std::string_view bodies);

// A <td>, or a <th> that names its row; content is HTML. rows > 1: it spans them.
std::string cell(std::string_view content, const Column& column, std::size_t rows = 1);
std::string row_head(std::string_view content, const Column& column, std::size_t rows = 1);

}  // namespace intaglio::html
