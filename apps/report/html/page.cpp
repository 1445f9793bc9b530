#include "apps/report/html/page.h"

#include <filesystem>

#include "apps/report/flags.h"
#include "apps/report/html/document.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"

namespace intaglio::html {

std::string page(const PageSource& given) {
  const Json report = sentences_with_flags(given.report);
  const PageSource source{report, given.observations, given.prepared, given.plan, given.shown};
  const std::string model =
      std::filesystem::path(report["model"]["path"].get<std::string>()).filename().string();
  const bool compared = is_comparison(report);
  const std::string what = compared ? "calibration methods compared" : "quantized";
  const bool several = methods_of(report).size() > 1;
  std::vector<Link> parts = {{"summary", "Summary"},
                             {"accuracy", several ? "Methods side by side" : "Size and accuracy"},
                             {"samples", "Worst samples"},
                             {"activations", "Activations"},
                             {"weights", "Weights"},
                             {"nodes", "Nodes left float"}};
  if (source.shown.samples.empty())
    std::erase_if(parts, [](const Link& l) { return l.id == "samples"; });
  return document(model + ", " + what, code(model) + ", " + what, parts,
                  gates_section(report) + warnings_section(report) + summary_section(source) +
                      accuracy_section(report) + worst_section(source.shown) +
                      activations_section(source) + weights_section(source) +
                      nodes_section(source));
}

}  // namespace intaglio::html
