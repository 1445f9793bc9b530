#include "apps/report/check.h"

#include "lib/check/summary.h"

namespace intaglio {

Json node_check_json(const NodeCheck& n) {
  Json json = {
      {"name", n.name},     {"op", n.op},         {"verdict", name_of(n.verdict)},
      {"reason", n.reason}, {"remedy", n.remedy}, {"macs", n.macs ? Json(*n.macs) : Json()}};
  json["shape"] = n.shape ? Json(to_string(*n.shape)) : Json();
  json["type"] = name_of(n.type);
  json["weight_bytes"] = n.weight_bytes;
  json["activation_bytes"] = n.activation_bytes;
  if (n.pairs > 0)
    json["saturation"] = {
        {"pairs", n.pairs}, {"over", n.saturating_pairs}, {"channels", n.saturating_channels}};
  return json;
}

Json problems_json(const CheckResult& result) {
  Json problems = Json::array();
  for (const NodeCheck& n : result.model_wide)
    problems.push_back({{"reason", n.reason}, {"remedy", n.remedy}});
  return problems;
}

Json check_json(const CheckResult& result, const std::string& target) {
  const auto share = integer_share(result);
  Json nodes = Json::array();
  for (const NodeCheck& n : result.nodes)
    if (n.verdict != Verdict::integer) nodes.push_back(node_check_json(n));
  return {{"target", target},
          {"fits", result.fits()},
          {"integer", result.count(Verdict::integer)},
          {"float", result.count(Verdict::floating)},
          {"misfit", result.count(Verdict::misfit)},
          {"macs", result.macs},
          {"integer_macs", result.integer_macs},
          {"integer_macs_percent", share ? Json(*share) : Json()},
          {"problems", problems_json(result)},
          {"nodes", nodes}};
}

}  // namespace intaglio
