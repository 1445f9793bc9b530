#include "apps/report/comparison.h"

#include <fmt/format.h>

#include "apps/report/flags.h"
#include "apps/report/refine.h"
#include "apps/report/report.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

Json method_entry(const CompareSpec& spec, const CompareResult& r, const Compared& m) {
  const Prepared& prepared = r.session.prepared;
  Json entry = {{"name", m.method.name}, {"text", m.method.text()}};
  entry.update(m.method.parameters);
  entry["output_bytes"] = m.bytes;
  entry["evaluation"] = evaluation_json(m.measured.evaluation);
  entry["values"] =
      values_json(prepared.model.graph(), m.quantized.plan, r.observed.statistics.observations,
                  &m.measured.evaluation, prepared.folded);
  entry["refine"] = refine_json(spec.refine, r.session.steps, r.observed.rebalanced, m.refined);
  return entry;
}

}  // namespace

Json report_of(const CompareSpec& spec, const CompareResult& r, const Context& context) {
  const Session& session = r.session;
  const Compared& first = r.methods.front();
  const Evaluation& evaluation = first.measured.evaluation;
  const std::optional<Accuracy>& reference = evaluation.reference;
  Json json = {{"schema", "intaglio.compare/1"},
               {"command", "compare"},
               {"tool", tool_json()},
               {"model", model_json(session.prepared.source)},
               {"data", data_json(r.observed.data)},
               {"evaluation_data", data_json(r.evaluation_data)},
               {"evaluation_source", word_of(r.evaluation_source)},
               {"target", session.target.name},
               {"format", spec.quant.form.name()},
               {"objective", r.objective},
               {"nodes", nodes_json(first.quantized.plan, session.prepared.folded,
                                    first.quantized.written)}};
  json["reference"] = {{"samples", evaluation.samples},
                       {"top1", reference ? Json(reference->top1.percent()) : Json()},
                       {"top5", reference ? Json(reference->top5.percent()) : Json()}};
  json["methods"] = Json::array();
  for (const Compared& m : r.methods) json["methods"].push_back(method_entry(spec, r, m));
  json["best"] = {{"method", r.chosen().method.text()},
                  {"index", r.best.index},
                  {"reason", r.best.reason},
                  {"tied", Json::array()}};
  for (const std::size_t i : r.best.tied)
    json["best"]["tied"].push_back(r.methods[i].method.text());
  json["output"] = r.output ? output_json(*r.output) : Json();
  json["warnings"] = r.warnings;
  json["run"] = run_json(context, r.observed.statistics.observations.samples,
                         context.seconds_of("calibrate"));
  return json;
}

Rows comparison_rows(const CompareResult& r) {
  const Evaluation& first = r.methods.front().measured.evaluation;
  Rows rows = {{"method"}, {"FP32"}};
  for (const Compared& m : r.methods) rows.push_back({m.method.text()});
  for (const Metric metric : first.plan.metrics)
    for (const MetricColumn& column : columns_of(def_of(metric))) {
      rows[0].push_back(column.head);
      rows[1].push_back(column.reference(first));
      for (std::size_t i = 0; i < r.methods.size(); ++i)
        rows[i + 2].push_back(column.model(r.methods[i].measured.evaluation));
    }
  rows[0].emplace_back("bytes");
  rows[1].push_back(std::to_string(r.session.prepared.source.bytes));
  for (std::size_t i = 0; i < r.methods.size(); ++i)
    rows[i + 2].push_back(std::to_string(r.methods[i].bytes));
  return rows;
}

std::string best_text(const CompareResult& r) {
  const std::size_t samples = r.methods.front().measured.evaluation.samples;
  return fmt::format("best: {} ({}) over {}", r.chosen().method.text(), r.best.reason,
                     with_flags(samples_text(samples, r.evaluation_source)));
}

std::string comparison_markdown(const CompareResult& r) {
  std::string text = fmt::format("### Quantization of {}: methods side by side\n\n{}\n{}\n",
                                 markdown(r.session.prepared.source.path),
                                 markdown_table(comparison_rows(r)), markdown(best_text(r)));
  for (const std::string& warning : r.warnings)
    text += fmt::format("\n> warning: {}\n", markdown(with_flags(warning)));
  return text;
}

}  // namespace intaglio
