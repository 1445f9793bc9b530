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

const std::vector<Column> token_columns = {
    {"Method", "method", true},     {"KL, nats", "kl"},
    {"Perplexity", "perplexity"},   {"Perplexity, float", "reference_perplexity"},
    {"Same token %", "same_token"}, {"Positions", "positions"}};

// A row of a table of models: its name, and figures by key.
struct ModelRow {
  std::string name;
  Json figures;
  bool best = false;
};

// The columns for which some row has a number, the first one always.
std::vector<Column> filled(const std::vector<Column>& columns, const std::vector<ModelRow>& rows) {
  std::vector<Column> some = {columns.front()};
  for (std::size_t c = 1; c < columns.size(); ++c)
    for (const ModelRow& row : rows)
      if (figure(row.figures, columns[c].key.c_str()) != no_number) {
        some.push_back(columns[c]);
        break;
      }
  return some;
}

std::string model_cell(const Json& figures, const Column& column) {
  if (column.key == "bytes" && figures.contains("bytes"))
    return cell(grouped(figures["bytes"].get<std::uint64_t>()), column);
  return cell(figure(figures, column.key.c_str(), "{:.2f}"), column);
}

// The float model's; null: the report has none.
Json figures_of_float(const Json& report, const Json& evaluation) {
  const Json& file = report["command"] == "evaluate" ? report["reference"] : report["model"];
  if (file.is_null()) return {};
  Json figures = is_comparison(report)    ? report["reference"]
                 : evaluation.is_object() ? evaluation["reference"]
                                          : Json();
  if (figures.is_null()) figures = Json::object();
  if (evaluation.is_object() && evaluation["agreement"].is_number()) figures["agreement"] = 100;
  figures["bytes"] = file["bytes"];
  return figures;
}

std::string models(const Json& report, const std::vector<MethodView>& methods) {
  std::vector<ModelRow> rows;
  if (const Json figures = figures_of_float(report, methods.front().evaluation); !figures.is_null())
    rows.push_back({"FP32", figures});
  const bool compared = is_comparison(report);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const bool best = compared && i == chosen_of(report);
    ModelRow& row = rows.emplace_back(
        ModelRow{code(methods[i].text) + (best ? " <strong>best</strong>" : ""), {}, best});
    row.figures = methods[i].evaluation.is_object() ? methods[i].evaluation : Json::object();
    row.figures["bytes"] = methods[i].bytes;
  }
  const std::vector<Column> columns = filled(model_columns, rows);
  std::string out;
  for (const ModelRow& row : rows) {
    out += row.best ? "<tbody class=\"best\"><tr>" : "<tbody><tr>";
    out += row_head(row.name, columns.front());
    for (std::size_t c = 1; c < columns.size(); ++c) out += model_cell(row.figures, columns[c]);
    out += "</tr></tbody>\n";
  }
  return table("The float model and what was made of it", columns, out);
}

// "SQNR dB", "Cosine"
Column column_of(const MetricDef& def) {
  std::string head = def.output.head();
  head.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(head.front())));
  return {head, std::string(def.name)};
}

// A figure of outputs as a column.
struct OutputColumn {
  Column column;
  std::string key, format;
};

// Those of which some output has a number.
std::vector<OutputColumn> output_figures(const std::vector<MethodView>& methods) {
  std::vector<OutputColumn> all;
  for (const MetricDef& def : all_metrics())
    if (def.of_outputs())
      all.push_back({column_of(def), std::string(def.output.key),
                     fmt::format("{{:.{}f}}", def.output.decimals)});
  all.push_back({{"Cosine, mean of samples", "cosine_mean"}, "cosine_mean", "{:.6f}"});
  all.push_back({{"Cosine, worst sample", "cosine_min"}, "cosine_min", "{:.6f}"});
  std::erase_if(all, [&](const OutputColumn& c) {
    for (const MethodView& method : methods)
      if (method.evaluation.is_object())
        for (const Json& output : method.evaluation["outputs"])
          if (figure(output, c.key.c_str()) != no_number) return false;
    return true;
  });
  return all;
}

std::string outputs(const std::vector<MethodView>& methods) {
  const bool several = methods.size() > 1;
  std::vector<Column> columns = {output_columns.front()};
  if (several) columns.push_back(output_columns.back());
  const std::vector<OutputColumn> figures = output_figures(methods);
  for (const OutputColumn& c : figures) columns.push_back(c.column);
  std::string rows;
  for (const MethodView& method : methods) {
    if (method.evaluation.is_null()) continue;
    for (const Json& output : method.evaluation["outputs"]) {
      rows += "<tbody><tr>" + row_head(code(output["name"].get<std::string>()), columns[0]);
      if (several) rows += cell(code(method.text), columns[1]);
      for (const OutputColumn& c : figures)
        rows += cell(figure(output, c.key.c_str(), c.format.c_str()), c.column);
      rows += "</tr></tbody>\n";
    }
  }
  if (rows.empty()) return "";
  return table("Outputs, compared with those of the float model", columns, rows);
}

// A row for each method that has the part `key` of an evaluation; nothing when none has. The keys
// of the columns are those of the part.
std::string answers(const std::vector<MethodView>& methods, const char* key,
                    const std::string& caption, const std::vector<Column>& columns,
                    const char* first_format) {
  std::string rows;
  for (const MethodView& method : methods) {
    if (method.evaluation.is_null() || method.evaluation[key].is_null()) continue;
    const Json& part = method.evaluation[key];
    rows += "<tbody><tr>" + row_head(code(method.text), columns[0]);
    for (std::size_t c = 1; c < columns.size(); ++c)
      rows +=
          cell(figure(part, columns[c].key.c_str(), c == 1 ? first_format : "{:.6g}"), columns[c]);
    rows += "</tr></tbody>\n";
  }
  return rows.empty() ? "" : table(caption, columns, rows);
}

// What the words above mean, of those that are there.
std::string legend(const std::vector<MethodView>& methods) {
  bool agreement = false, outputs = false;
  for (const MethodView& method : methods) {
    if (method.evaluation.is_null()) continue;
    agreement |= method.evaluation["agreement"].is_number();
    outputs |= !method.evaluation["outputs"].empty();
  }
  std::string text;
  if (agreement) text += "Agreement: positions on which both models have the same top class. ";
  if (outputs)
    text +=
        "SQNR: power of the signal over power of the quantization noise; 6 dB are one bit. A dash: "
        "no noise at all. ";
  return text.empty() ? "" : "<p>" + text + "</p>";
}

}  // namespace

std::string accuracy_section(const Json& report) {
  const std::vector<MethodView> methods = methods_of(report);
  std::string out = fmt::format("<section id=\"accuracy\"><h2>{}</h2>\n",
                                methods.size() > 1 ? "Methods side by side" : "Size and accuracy");
  out += models(report, methods) + outputs(methods);
  out += answers(methods, "boxes", "Boxes, compared with those of the float model", box_columns,
                 "{:.4f}");
  out += answers(methods, "ctc", "Strings, compared with those of the float model", string_columns,
                 "{:.2f}");
  out += answers(methods, "tokens", "Tokens, compared with those of the float model", token_columns,
                 "{:.5f}");
  return out + legend(methods) + "</section>\n";
}

}  // namespace intaglio::html
