#include <fmt/format.h>

#include <cctype>

#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"
#include "lib/eval/metric_def.h"

namespace intaglio::html {
namespace {

const std::vector<Column> model_columns = {{"Model", "name", true},
                                           {"Bytes", "bytes"},
                                           {"Top-1 %", "top1"},
                                           {"Top-5 %", "top5"},
                                           {"Agreement %", "agreement"}};
const std::vector<Column> output_columns = {{"Output", "output", true}, {"Method", "method", true}};
const std::vector<Column> box_columns = {{"Method", "method", true},
                                         {"F1 of the boxes", "f1"},
                                         {"Found again", "matched"},
                                         {"Of", "reference"},
                                         {"Found", "found"}};
const std::vector<Column> string_columns = {{"Method", "method", true},
                                            {"Equal lines %", "equal_lines"},
                                            {"Wrong characters %", "character_error"},
                                            {"Characters", "characters"}};

std::string model_row(const std::string& name, std::uint64_t bytes, const Json& figures,
                      bool best) {
  std::string out = best ? "<tbody class=\"best\"><tr>" : "<tbody><tr>";
  out += row_head(name, model_columns[0]);
  out += cell(grouped(bytes), model_columns[1]);
  out += cell(figure(figures, "top1", "{:.2f}"), model_columns[2]);
  out += cell(figure(figures, "top5", "{:.2f}"), model_columns[3]);
  out += cell(figure(figures, "agreement", "{:.2f}"), model_columns[4]);
  return out + "</tr></tbody>\n";
}

Json figures_of_float(const Json& report, const Json& evaluation) {
  Json figures = is_comparison(report)    ? report["reference"]
                 : evaluation.is_object() ? evaluation["reference"]
                                          : Json();
  if (figures.is_null()) figures = Json::object();
  if (evaluation.is_object() && evaluation["agreement"].is_number()) figures["agreement"] = 100;
  return figures;
}

std::string models(const Json& report, const std::vector<MethodView>& methods) {
  std::string out;
  out += model_row("FP32", report["model"]["bytes"].get<std::uint64_t>(),
                   figures_of_float(report, methods.front().evaluation), false);
  const bool compared = is_comparison(report);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const bool best = compared && i == chosen_of(report);
    out += model_row(code(methods[i].text) + (best ? " <strong>best</strong>" : ""),
                     methods[i].bytes, methods[i].evaluation, best);
  }
  return table("The float model and what was made of it", model_columns, out);
}

// "SQNR dB", "Cosine"
Column column_of(const MetricDef& def) {
  std::string head = def.output.head();
  head.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(head.front())));
  return {head, std::string(def.name)};
}

std::string outputs(const std::vector<MethodView>& methods) {
  std::vector<Column> columns = output_columns;
  std::vector<const OutputFigure*> figures;
  for (const MetricDef& def : all_metrics()) {
    if (!def.of_outputs()) continue;
    columns.push_back(column_of(def));
    figures.push_back(&def.output);
  }
  std::string rows;
  for (const MethodView& method : methods) {
    if (method.evaluation.is_null()) continue;
    for (const Json& output : method.evaluation["outputs"]) {
      rows += "<tbody><tr>" + row_head(code(output["name"].get<std::string>()), columns[0]);
      rows += cell(code(method.text), columns[1]);
      for (std::size_t i = 0; i < figures.size(); ++i) {
        const std::string key(figures[i]->key),
            format = fmt::format("{{:.{}f}}", figures[i]->decimals);
        rows += cell(figure(output, key.c_str(), format.c_str()), columns[i + 2]);
      }
      rows += "</tr></tbody>\n";
    }
  }
  if (rows.empty()) return "";
  return table("Outputs, compared with those of the float model", columns, rows);
}

// A row for each method that has the part `key` of an evaluation; nothing when none has. The keys
// of the columns are those of the part.
std::string answers(const std::vector<MethodView>& methods, const char* key,
                    const std::string& caption, const std::vector<Column>& columns) {
  std::string rows;
  for (const MethodView& method : methods) {
    if (method.evaluation.is_null() || method.evaluation[key].is_null()) continue;
    const Json& part = method.evaluation[key];
    rows += "<tbody><tr>" + row_head(code(method.text), columns[0]);
    for (std::size_t c = 1; c < columns.size(); ++c)
      rows += cell(figure(part, columns[c].key.c_str(), c == 1 ? "{:.4f}" : "{:.6g}"), columns[c]);
    rows += "</tr></tbody>\n";
  }
  return rows.empty() ? "" : table(caption, columns, rows);
}

}  // namespace

std::string accuracy_section(const PageSource& source) {
  const std::vector<MethodView> methods = methods_of(source.report);
  std::string out = fmt::format("<section id=\"accuracy\"><h2>{}</h2>\n",
                                methods.size() > 1 ? "Methods side by side" : "Size and accuracy");
  out += models(source.report, methods) + outputs(methods);
  out += answers(methods, "boxes", "Boxes, compared with those of the float model", box_columns);
  out += answers(methods, "ctc", "Strings, compared with those of the float model", string_columns);
  out +=
      "<p>Agreement: positions on which both models have the same top class. SQNR: power of the "
      "signal "
      "over power of the quantization noise; 6 dB are one bit. A dash: not measured, or no noise "
      "at "
      "all.</p></section>\n";
  return out;
}

}  // namespace intaglio::html
