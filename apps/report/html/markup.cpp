#include "apps/report/html/markup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace intaglio::html {
namespace {

bool sortable(const std::vector<Column>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& c) { return !c.key.empty(); });
}

std::string attributes(const Column& column, std::size_t rows = 1) {
  return (column.key.empty() ? "" : fmt::format(" data-k=\"{}\"", column.key)) +
         (column.text ? " class=\"t\"" : "") +
         (rows > 1 ? fmt::format(" rowspan=\"{}\"", rows) : "");
}

}  // namespace

std::string code(std::string_view text) { return "<code>" + escaped(text) + "</code>"; }

std::string significant(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : no_number;
}

std::string figure(const Json& object, const char* key, const char* format) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return no_number;
  return fmt::format(fmt::runtime(format), object[key].get<double>());
}

std::string grouped(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, "\u202F");
  return text;
}

std::string table(const std::string& caption, const std::vector<Column>& columns,
                  std::string_view bodies) {
  std::string heads;
  for (const Column& c : columns)
    heads += fmt::format("<th scope=\"col\"{}>{}</th>", attributes(c), escaped(c.title));
  return fmt::format(
      "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">"
      "<table{1}><caption><span>{0}</span></caption><thead><tr>{2}</tr></thead>\n{3}</table></"
      "div>\n",
      escaped(caption), sortable(columns) ? " class=\"sortable\"" : "", heads, bodies);
}

std::string cell(std::string_view content, const Column& column, std::size_t rows) {
  return fmt::format("<td{}>{}</td>", attributes(column, rows), content);
}

std::string row_head(std::string_view content, const Column& column, std::size_t rows) {
  return fmt::format("<th scope=\"{}\"{}>{}</th>", rows > 1 ? "rowgroup" : "row",
                     attributes(column, rows), content);
}

}  // namespace intaglio::html
