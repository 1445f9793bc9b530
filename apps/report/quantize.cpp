#include "apps/report/quantize.h"

#include "apps/report/check.h"
#include "apps/report/refine.h"
#include "apps/report/report.h"

namespace intaglio {

Json report_of(const QuantizeSpec& spec, const QuantizeResult& r, const Context& context) {
  const Session& session = r.session;
  const Prepared& prepared = session.prepared;
  const Quantized& quantized = r.kept.best.quantized;
  const Observations& observations = r.observed.statistics.observations;
  const Evaluation* evaluation = r.measured ? &r.measured->evaluation : nullptr;
  return {
      {"schema", "intaglio.report/1"},
      {"command", "quantize"},
      {"tool", tool_json()},
      {"model", model_json(prepared.source)},
      {"output", output_json(r.output)},
      {"handed_over", handed_over_json(r.handed_over)},
      {"data", data_json(r.observed.data)},
      {"method",
       spec.calibrates() ? method_json(r.method) : Json{{"name", method_name(spec, r.method)}}},
      {"target", session.target.name},
      {"passes", passes_json(prepared.passes)},
      {"refine",
       refine_json(spec.refine, session.steps, r.observed.rebalanced, r.kept.best.refined)},
      {"groups", groups_json(r.kept.best.groups ? &r.kept.best.groups->summary : nullptr,
                             session.target.weights)},
      {"keep_float", keep_json(r.kept.summary)},
      {"interface", quantized.interface ? to_json(*quantized.interface) : Json()},
      {"nodes", nodes_json(quantized.plan, prepared.folded, quantized.written)},
      {"values", values_json(prepared.model.graph(), quantized.plan, observations, evaluation,
                             prepared.folded)},
      {"check", check_json(r.check, session.target.name)},
      {"execution", r.measured ? execution_json(r.measured->execution) : Json()},
      {"warnings", r.warnings},
      {"hints", r.hints},
      {"evaluation", evaluation ? evaluation_json(*evaluation) : Json()},
      {"evaluation_source", evaluation ? Json(word_of(r.evaluation_source)) : Json()},
      {"gates", gates_json(evaluation ? spec.gates.judge(*evaluation) : std::vector<JudgedGate>())},
      {"run", run_json(context, observations.samples, context.seconds_of("calibrate"))}};
}

}  // namespace intaglio
