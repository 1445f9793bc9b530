#include "apps/report/html/preview_page.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/report/flags.h"
#include "apps/report/html/document.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/samples.h"
#include "apps/report/html/sections.h"
#include "apps/report/report.h"

namespace intaglio::html {
namespace {

std::string summary(const PreviewResult& r) {
  const std::string recipe =
      r.data.recipe ? escaped(describe(*r.data.recipe)) : "none: arrays are fed as they are";
  return fmt::format(
      "<section id=\"summary\"><h2>Summary</h2>\n<dl><dt>Model</dt><dd>{}, opset {}</dd>\n"
      "<dt>Preprocessing</dt><dd>{}</dd>\n<dt>Samples</dt><dd>{}</dd>\n<dt>Outputs</dt><dd>{}"
      "</dd></dl></section>\n",
      code(r.model.path), r.model.opset, recipe, r.shown.samples.size(),
      escaped(to_string(r.shown.plan.signature)));
}

}  // namespace

std::string preview_page(const PreviewResult& r) {
  const std::string model = std::filesystem::path(r.model.path).filename().string();
  const Json told =
      sentences_with_flags(Json{{"warnings", r.warnings}, {"data", data_json(r.data)}});
  std::string content = warnings_section(told) + summary(r);
  content += samples_section(
      r.shown, "What it sees and what it answers",
      "Beside each file the tensor that is fed, turned back into a picture: if it looks wrong, the "
      "preprocessing is. Numbers are scores as the model gives them.");
  return document(model + ", preview", code(model) + ", preview",
                  {{"summary", "Summary"}, {"samples", "Samples"}}, content);
}

}  // namespace intaglio::html
