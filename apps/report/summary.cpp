#include "apps/report/summary.h"

#include <fmt/format.h>

#include "apps/report/flags.h"
#include "apps/report/markdown.h"
#include "lib/check/summary.h"
#include "lib/eval/metric_def.h"
#include "lib/graph/contents.h"

namespace intaglio {
namespace {

Rows figures(const QuantizeResult& r) {
  Rows rows = {{"model", "bytes"},
               {"FP32", std::to_string(r.session.prepared.source.bytes)},
               {"quantized", std::to_string(r.output.bytes)}};
  if (!r.measured) return rows;
  const Evaluation& e = r.measured->evaluation;
  for (const Metric metric : e.plan.metrics)
    for (const MetricColumn& column : columns_of(def_of(metric))) {
      rows[0].push_back(column.head);
      rows[1].push_back(column.reference(e));
      rows[2].push_back(column.model(e));
    }
  return rows;
}

std::string list(const char* kind, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += fmt::format("> {}: {}\n>\n", kind, markdown(with_flags(line)));
  return text.empty() ? text : "\n" + text;
}

}  // namespace

std::string gates_markdown(const std::vector<JudgedGate>& gates) {
  Rows rows = {{"gate", "asked", "measured", ""}};
  for (const JudgedGate& gate : gates) {
    const std::string& of = gate.outcome.of;
    rows.push_back({fmt::format("--{}{}", gate.name, of.empty() ? "" : fmt::format(" of '{}'", of)),
                    fmt::format("{}", gate.asked),
                    gate.outcome.measured ? fmt::format("{:.4g}", *gate.outcome.measured) : "-",
                    !gate.holds()   ? "missed"
                    : gate.unsure() ? "holds, by chance perhaps"
                                    : "holds"});
  }
  return markdown_table(rows);
}

std::string quantize_markdown(const QuantizeResult& r, const std::vector<JudgedGate>& gates) {
  const SourceFile& source = r.session.prepared.source;
  std::string text = fmt::format(
      "### Quantization of {}\n\n{}: {} than the float model, for {}. {}.\n\n{}",
      markdown(source.path), markdown(r.output.path), size_ratio(source.bytes, r.output.bytes),
      markdown(r.session.target.name), markdown(check_line(r.check)), markdown_table(figures(r)));
  if (r.measured)
    text += fmt::format(
        "\n{}\n",
        markdown(with_flags(samples_text(r.measured->evaluation.samples, r.evaluation_source))));
  if (!gates.empty()) text += "\n" + gates_markdown(gates);
  return text + list("hint", r.hints) + list("warning", r.warnings);
}

}  // namespace intaglio
