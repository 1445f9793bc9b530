#include "apps/html/page.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/html/assets.h"
#include "apps/html/markup.h"
#include "apps/html/methods.h"
#include "apps/html/sections.h"

namespace intaglio::html {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'";

std::string head(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      policy, title, style);
}

std::string navigation(bool several_methods) {
  return fmt::format(
      "<nav aria-label=\"Parts of this page\"><ul><li><a href=\"#summary\">Summary</a></li>"
      "<li><a href=\"#accuracy\">{}</a></li><li><a href=\"#activations\">Activations</a></li>"
      "<li><a href=\"#weights\">Weights</a></li><li><a href=\"#nodes\">Nodes left "
      "float</a></li></ul></nav>\n",
      several_methods ? "Methods side by side" : "Size and accuracy");
}

}  // namespace

std::string page(const PageSource& source) {
  const std::string model =
      std::filesystem::path(source.report["model"]["path"].get<std::string>()).filename().string();
  const bool compared = source.report["command"] == "compare";
  const std::string what = compared ? "calibration methods compared" : "quantized";
  std::string out = head(escaped(model) + ", " + what);
  out += "<body>\n<header><h1>" + code(model) + ", " + what + "</h1>\n";
  out += navigation(methods_of(source.report).size() > 1) + "</header>\n<main>\n";
  out += warnings_section(source);
  out += summary_section(source);
  out += accuracy_section(source);
  out += activations_section(source);
  out += weights_section(source);
  out += nodes_section(source);
  return out + "</main>\n<script>" + std::string(script) + "</script>\n</body>\n</html>\n";
}

}  // namespace intaglio::html
