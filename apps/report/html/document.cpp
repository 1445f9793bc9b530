#include "apps/report/html/document.h"

#include <fmt/format.h>

#include "apps/report/html/assets.h"
#include "apps/report/html/markup.h"

namespace intaglio::html {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; "
    "form-action 'none'";

std::string head(std::string_view title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      policy, escaped(title), style);
}

std::string navigation(const std::vector<Link>& parts) {
  std::string items;
  for (const Link& part : parts)
    items += fmt::format("<li><a href=\"#{}\">{}</a></li>", part.id, part.title);
  return "<nav aria-label=\"Parts of this page\"><ul>" + items + "</ul></nav>\n";
}

}  // namespace

std::string document(std::string_view title, std::string_view heading,
                     const std::vector<Link>& parts, std::string_view content) {
  return fmt::format(
      "{}<body>\n<header><h1>{}</h1>\n{}</header>\n<main>\n{}</main>\n<script>{}</script>\n"
      "</body>\n</html>\n",
      head(title), heading, navigation(parts), content, script);
}

}  // namespace intaglio::html
