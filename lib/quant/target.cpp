#include "lib/quant/target.h"

#include "lib/base/json.h"

namespace intaglio {
namespace {

Scheme read_scheme(JsonObject json, bool* per_channel) {
  Scheme scheme;
  scheme.type = dtype_named(json.choice("type", {"u8", "s8", "u16", "s16"}));
  scheme.symmetric = json.get<bool>("symmetric");
  scheme.reduce_range = json.get<bool>("reduce_range", false);
  if (per_channel != nullptr)
    *per_channel = json.choice("granularity", {"channel", "tensor"}) == "channel";
  json.done();
  return scheme;
}

OpRule read_rule(JsonObject json) {
  OpRule rule;
  const std::string role =
      json.choice("role", {"compute", "activation", "elementwise", "share", "join"});
  if (role == "compute") rule.role = Role::compute;
  if (role == "activation") rule.role = Role::activation;
  if (role == "share") rule.role = Role::share;
  if (role == "join") rule.role = Role::join;
  if (rule.role == Role::activation) {
    rule.fuses_into = json.get<std::vector<std::string>>("fuses_into");
    rule.float_into = json.get<std::vector<std::string>>("float_into", {});
  }
  rule.float_output = json.get<bool>("float_output", false);
  json.done();
  return rule;
}

}  // namespace

Target placed_for_accuracy(Target target) {
  for (auto& [op, rule] : target.ops)
    rule.fuses_into.insert(rule.fuses_into.end(), rule.float_into.begin(), rule.float_into.end());
  return target;
}

Target read_target(const std::filesystem::path& path) {
  const Json document = read_json_file(path);
  JsonObject json(document, path.string());
  Target target;
  target.name = json.get<std::string>("name");
  target.description = json.get<std::string>("description");
  target.opset = json.get<std::int64_t>("opset", target.opset);
  if (target.opset < 13) json.fail("opset", "must be 13 or more: per-channel DequantizeLinear needs it");
  target.activations = read_scheme(json.object("activations"), nullptr);
  target.weights = read_scheme(json.object("weights"), &target.per_channel);
  target.min_range = json.get<double>("min_range", target.min_range);
  JsonObject ops = json.object("ops");
  for (const auto& item : json.at("ops").items()) target.ops[item.key()] = read_rule(ops.object(item.key()));
  ops.done();
  json.done();
  return target;
}

}  // namespace intaglio
