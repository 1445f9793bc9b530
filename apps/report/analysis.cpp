#include "apps/report/analysis.h"

#include <cmath>

#include "apps/report/refine.h"
#include "apps/report/report.h"
#include "calibration/sensitivity/hints.h"

namespace intaglio {
namespace {

Json noise_json(const Noise& noise, bool classes) {
  return {{"sqnr_db", number(noise.sqnr_db())},
          {"agreement", classes ? Json(noise.agreement()) : Json()}};
}

std::string label(const Node& node) {
  return node.name().empty() ? first_output(node)->name() : node.name();
}

double share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

// How much less noise the whole network has when something stays float; nullopt: one of both has
// none.
std::optional<double> gain_db(const Sensitivity& s, const Noise& left) {
  const double all = s.quantized.relative(), without = left.relative();
  return all > 0 && without > 0 ? std::optional(10 * std::log10(all / without)) : std::nullopt;
}

Json layer_json(const Sensitivity& s, const LayerSensitivity& l, std::size_t rank, bool classes) {
  const double all = s.quantized.relative();
  Json json = {{"rank", rank},
               {"name", l.layer.node->name()},
               {"op", l.layer.node->op()},
               {"output", first_output(*l.layer.node)->name()},
               {"macs", l.macs},
               {"macs_share", share(l.macs, s.macs)},
               {"weights", l.weights},
               {"alone_quantized", noise_json(l.alone_quantized, classes)},
               {"alone_float", noise_json(l.alone_float, classes)},
               {"weights_alone", noise_json(l.weights_alone, classes)},
               {"noise_share", share(l.alone_quantized.relative(), all)},
               {"gain_db", number(gain_db(s, l.alone_float))},
               {"hint", hint_for(l)}};
  if (l.layer.fused != nullptr) json["fused"] = label(*l.layer.fused);
  return json;
}

Json group_json(const Sensitivity& s, const GroupSensitivity& g, bool classes) {
  Json names = Json::array();
  for (const std::size_t l : g.group.layers) names.push_back(label(*s.layers[l].layer.node));
  return {{"name", g.group.name},
          {"op", g.group.op},
          {"layers", names},
          {"together_quantized", noise_json(g.together_quantized, classes)},
          {"together_float", noise_json(g.together_float, classes)},
          {"gain_db", number(gain_db(s, g.together_float))}};
}

// "groups" and "layers", the most sensitive first, "values", and the whole network under
// "quantized".
Json analysis_json(const Sensitivity& s, bool classes) {
  Json groups = Json::array(), layers = Json::array(), values = Json::array();
  for (const std::size_t i : group_ranking(s))
    groups.push_back(group_json(s, s.groups[i], classes));
  std::size_t rank = 0;
  for (const std::size_t i : ranking(s))
    layers.push_back(layer_json(s, s.layers[i], ++rank, classes));
  for (std::size_t i = 0; i < s.values.size(); ++i) {
    Json names = Json::array();
    for (const std::size_t l : s.values[i].layers) names.push_back(label(*s.layers[l].layer.node));
    values.push_back({{"name", s.values[i].values.front()},
                      {"tied", s.values[i].values},
                      {"layers", names},
                      {"alone_quantized", noise_json(s.values_alone[i], classes)}});
  }
  return {{"samples", s.quantized.samples},
          {"macs", s.macs},
          {"quantized", noise_json(s.quantized, classes)},
          {"groups", groups},
          {"layers", layers},
          {"values", values}};
}

}  // namespace

Json report_of(const AnalyzeSpec& spec, const AnalyzeResult& r, const Context& context) {
  const Session& session = r.session;
  return {
      {"schema", "intaglio.analysis/1"},
      {"command", "analyze"},
      {"tool", tool_json()},
      {"model", model_json(session.prepared.source)},
      {"data", data_json(r.observed.data)},
      {"method", method_json(r.method)},
      {"target", session.target.name},
      {"refine", refine_json(spec.refine, session.steps, r.observed.rebalanced, r.refined)},
      {"analysis", analysis_json(r.sensitivity, r.classes)},
      {"warnings", r.warnings},
      {"run", run_json(context, r.sensitivity.quantized.samples, context.seconds_of("analyze"))}};
}

}  // namespace intaglio
