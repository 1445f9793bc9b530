#include "apps/report/html/analysis_page.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/report/flags.h"
#include "apps/report/html/document.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/sections.h"
#include "apps/report/report.h"

namespace intaglio::html {
namespace {

const Column rank{"Rank", "rank"}, layer{"Layer", "name", true}, op{"Operator", "op", true},
    macs{"MACs %", "macs"}, quantized{"Quantized alone, dB", "quantized"},
    weights{"Its weights alone, dB", "weights"}, left{"Float alone, dB", "float"},
    gain{"Gain, dB", "gain"}, noise{"Noise %", "noise"}, hint{"Hint", "hint", true},
    together{"All of", "name", true}, count{"Layers", "count"}, value{"Value", "value", true},
    readers{"Made and read by", "layers", true};

std::string bar(double percent) {
  return fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 100 8\" role=\"img\" aria-label=\"{0:.1f} %\">"
      "<rect class=\"bars\" width=\"{0:.2f}\" height=\"8\"/></svg>",
      std::min(percent, 100.0));
}

std::string text(const Json& object, const char* key) { return object[key].get<std::string>(); }

std::string layer_rows(const Json& layers) {
  std::string rows;
  for (const Json& l : layers) {
    rows += "<tbody><tr>" + cell(std::to_string(l["rank"].get<std::size_t>()), rank) +
            row_head(code(node_label(l)), layer) +
            cell(figure(l["alone_quantized"], "sqnr_db", "{:.2f}"), quantized) +
            cell(figure(l, "gain_db", "{:+.2f}"), gain) +
            cell(figure(l, "noise_share", "{:.1f}") + bar(l["noise_share"].get<double>()), noise) +
            cell(figure(l["weights_alone"], "sqnr_db", "{:.2f}"), weights) +
            cell(figure(l["alone_float"], "sqnr_db", "{:.2f}"), left) +
            cell(code(text(l, "op")), op) + cell(figure(l, "macs_share", "{:.2f}"), macs) +
            cell("<span class=\"note\">" + escaped(text(l, "hint")) + "</span>", hint) +
            "</tr></tbody>\n";
  }
  return rows;
}

std::string group_rows(const Json& groups) {
  std::string rows;
  for (const Json& g : groups)
    rows += "<tbody><tr>" + row_head(code(text(g, "name")), together) +
            cell(figure(g, "gain_db", "{:+.2f}"), gain) +
            cell(figure(g["together_float"], "sqnr_db", "{:.2f}"), left) +
            cell(figure(g["together_quantized"], "sqnr_db", "{:.2f}"), quantized) +
            cell(std::to_string(g["layers"].size()), count) + "</tr></tbody>\n";
  return rows;
}

std::string groups_section(const Json& groups) {
  if (groups.empty()) return {};
  return "<section id=\"groups\"><h2>Together</h2>\n" +
         table(
             "Layers of one kind, measured together: where many do the same harm, one of them "
             "alone wins nothing",
             {together, gain, left, quantized, count}, group_rows(groups)) +
         "</section>\n";
}

std::string value_rows(const Json& values) {
  std::string rows;
  for (const Json& v : values) {
    std::string names;
    for (const Json& name : v["layers"])
      names += (names.empty() ? "" : ", ") + code(name.get<std::string>());
    rows += "<tbody><tr>" + row_head(code(text(v, "name")), value) +
            cell(figure(v["alone_quantized"], "sqnr_db", "{:.2f}"), quantized) +
            cell(names, readers) + "</tr></tbody>\n";
  }
  return rows;
}

std::string summary(const Json& report) {
  const Json& a = report["analysis"];
  return fmt::format(
      "<section id=\"summary\"><h2>Summary</h2>\n<p>With everything quantized, the outputs have an "
      "SQNR of <strong>{} dB</strong> over {} samples{}. "
      "{} layers, measured one by one with method {} for target {}.</p></section>\n",
      figure(a["quantized"], "sqnr_db", "{:.2f}"), a["samples"].get<std::size_t>(),
      a["quantized"]["agreement"].is_null()
          ? ""
          : fmt::format(", of which {} % keep their top class",
                        figure(a["quantized"], "agreement", "{:.2f}")),
      a["layers"].size(), code(text(report["method"], "name")), code(text(report, "target")));
}

}  // namespace

std::string analysis_page(const Json& given) {
  const Json report = sentences_with_flags(given);
  const std::string model =
      std::filesystem::path(report["model"]["path"].get<std::string>()).filename().string();
  const Json& a = report["analysis"];
  std::string content = warnings_section(report) + summary(report);
  content += groups_section(a["groups"]);
  content += "<section id=\"layers\"><h2>Layers</h2>\n" +
             table(
                 "The most sensitive first: SQNR of the outputs when the layer alone is "
                 "quantized, and when it alone stays float",
                 {rank, layer, quantized, gain, noise, weights, left, op, macs, hint},
                 layer_rows(a["layers"])) +
             "</section>\n";
  content += "<section id=\"values\"><h2>Activations</h2>\n" +
             table("SQNR of the outputs when nothing but the value is rounded",
                   {value, quantized, readers}, value_rows(a["values"])) +
             "</section>\n";
  std::vector<Link> parts = {
      {"summary", "Summary"}, {"layers", "Layers"}, {"values", "Activations"}};
  if (!a["groups"].empty()) parts.insert(parts.begin() + 1, {"groups", "Together"});
  return document(model + ", sensitivity", code(model) + ", sensitivity", parts, content);
}

}  // namespace intaglio::html
