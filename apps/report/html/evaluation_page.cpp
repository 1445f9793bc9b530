#include "apps/report/html/evaluation_page.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/report/flags.h"
#include "apps/report/html/document.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/samples.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {

std::string evaluation_page(const Json& given, const Shown& shown) {
  const Json report = sentences_with_flags(given);
  const std::string model =
      std::filesystem::path(report["model"]["path"].get<std::string>()).filename().string();
  std::string content =
      gates_section(report) + warnings_section(report) + evaluation_summary(report);
  content += accuracy_section(report) + worst_section(shown);
  return document(model + ", evaluated", code(model) + ", evaluated",
                  {{"summary", "Summary"}, {"accuracy", "Accuracy"}, {"samples", "Samples"}},
                  content);
}

}  // namespace intaglio::html
