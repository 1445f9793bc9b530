#include "apps/report/comparison.h"

#include "apps/report/refine.h"
#include "apps/report/report.h"

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

}  // namespace intaglio
