#include "apps/analysis_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/context.h"
#include "apps/evaluation_text.h"
#include "apps/report.h"
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

// How much less noise the whole network has when the layer stays float; nullopt: one of both has
// none.
std::optional<double> gain_db(const Sensitivity& s, const LayerSensitivity& layer) {
  const double all = s.quantized.relative(), without = layer.alone_float.relative();
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
               {"gain_db", number(gain_db(s, l))},
               {"hint", hint_for(l)}};
  if (l.layer.fused != nullptr) json["fused"] = label(*l.layer.fused);
  return json;
}

}  // namespace

Json analysis_json(const Sensitivity& s, bool classes) {
  Json layers = Json::array(), values = Json::array();
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
          {"layers", layers},
          {"values", values}};
}

void print_analysis(const Sensitivity& s, bool classes, std::size_t most) {
  std::vector<std::vector<std::string>> rows = {
      {"rank", "layer", "op", "MACs %", "quantized alone", "float alone", "gain dB", "hint"}};
  const std::vector<std::size_t> order = ranking(s);
  for (std::size_t r = 0; r < std::min(most, order.size()); ++r) {
    const LayerSensitivity& l = s.layers[order[r]];
    const auto gain = gain_db(s, l);
    rows.push_back({std::to_string(r + 1), label(*l.layer.node), l.layer.node->op(),
                    fmt::format("{:.2f}", share(l.macs, s.macs)),
                    decibels(l.alone_quantized.sqnr_db()), decibels(l.alone_float.sqnr_db()),
                    gain ? fmt::format("{:+.2f}", *gain) : "-", hint_for(l)});
  }
  print_table(rows);
  if (most < order.size()) fmt::print("... and {} more: see --report\n", order.size() - most);
  fmt::print("\nAll quantized: {}{} over {} samples\n", decibels(s.quantized.sqnr_db()),
             classes ? fmt::format(", agreement {} %", percent(s.quantized.agreement())) : "",
             s.quantized.samples);
}

}  // namespace intaglio
