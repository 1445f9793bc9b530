#include "apps/report/html/page.h"

#include <filesystem>

#include "apps/report/html/document.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {

std::string page(const PageSource& source) {
  const std::string model =
      std::filesystem::path(source.report["model"]["path"].get<std::string>()).filename().string();
  const bool compared = source.report["command"] == "compare";
  const std::string what = compared ? "calibration methods compared" : "quantized";
  const bool several = methods_of(source.report).size() > 1;
  const std::vector<Link> parts = {
      {"summary", "Summary"},
      {"accuracy", several ? "Methods side by side" : "Size and accuracy"},
      {"activations", "Activations"},
      {"weights", "Weights"},
      {"nodes", "Nodes left float"}};
  return document(model + ", " + what, code(model) + ", " + what, parts,
                  warnings_section(source.report) + summary_section(source) +
                      accuracy_section(source) + activations_section(source) +
                      weights_section(source) + nodes_section(source));
}

}  // namespace intaglio::html
