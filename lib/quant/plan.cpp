#include "lib/quant/plan.h"

#include <algorithm>
#include <map>

#include "lib/base/hex.h"
#include "lib/graph/graph.h"

namespace intaglio {
namespace {

Json scheme_json(const Scheme& s) {
  Json json = {
      {"type", name_of(s.type)}, {"symmetric", s.symmetric}, {"reduce_range", s.reduce_range}};
  json["axis"] = s.axis ? Json(*s.axis) : Json();
  if (s.group > 0) json["group"] = s.group;
  if (s.off_centre) json["off_centre"] = true;
  return json;
}

Json params_json(const QParams& p) {
  return {{"type", name_of(p.type)},
          {"axis", p.axis ? Json(*p.axis) : Json()},
          {"scale", p.scale},
          {"zero_point", p.zero_point}};
}

std::optional<int> read_axis(JsonObject& json) {
  return json.at("axis").is_null() ? std::nullopt : std::optional(json.get<int>("axis"));
}

DType read_dtype(JsonObject& json) {
  const DType type = dtype_named(json.get<std::string>("type"));
  if (type == DType::undefined) json.fail("type", "is not an element type");
  return type;
}

Scheme read_scheme(JsonObject json) {
  Scheme s{
      read_dtype(json), json.get<bool>("symmetric"),        json.get<bool>("reduce_range"),
      read_axis(json),  json.get<std::int64_t>("group", 0), json.get<bool>("off_centre", false)};
  if (s.group < 0 || (s.group > 0 && !s.axis))
    json.fail("group", "needs an axis and a size above 0");
  json.done();
  return s;
}

QParams read_params(JsonObject json) {
  QParams p{read_dtype(json), read_axis(json), json.get<std::vector<float>>("scale"),
            json.get<std::vector<std::int32_t>>("zero_point")};
  if (p.scale.size() != p.zero_point.size())
    json.fail("zero_point", "differs in length from the scale");
  if (std::any_of(p.scale.begin(), p.scale.end(), [](float s) { return !(s > 0); }))
    json.fail("scale", "must be positive");
  json.done();
  return p;
}

Json codes_json(const Tensor& codes) {
  return {{"shape", codes.shape()},
          {"hex", to_hex({reinterpret_cast<const char*>(codes.raw()), codes.bytes()})}};
}

Tensor read_codes(JsonObject json, DType type) {
  const auto shape = json.get<std::vector<std::int64_t>>("shape");
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; }))
    json.fail("shape", "has a negative length");
  const auto bytes = from_hex(json.get<std::string>("hex"));
  if (!bytes || bytes->size() != Tensor::bytes_for(type, shape))
    json.fail("hex", "does not hold the codes of this shape");
  json.done();
  Tensor codes(type, Shape(shape.begin(), shape.end()));
  std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(codes.raw_mutate()));
  return codes;
}

// Calls read(element) for every object of an array.
template <typename F>
void each(JsonObject& json, const char* key, const std::string& origin, F&& read) {
  const Json& list = json.at(key);
  if (!list.is_array()) json.fail(key, "expected an array");
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonObject element(list[i], origin, json.path_of(key) + "[" + std::to_string(i) + "]");
    read(element);
    element.done();
  }
}

}  // namespace

const Value* first_output(const Node& node) {
  const auto outputs = node.outputs();
  const auto it = std::ranges::find_if(outputs, [](const Value* v) { return v != nullptr; });
  return it == outputs.end() ? nullptr : *it;
}

bool NodePlan::has_groups() const {
  return quantized &&
         std::ranges::any_of(constants, [](const ConstantPlan& c) { return c.scheme.group > 0; });
}

const ActivationPlan* Plan::find(const std::string& value) const {
  const auto it = std::find_if(activations.begin(), activations.end(),
                               [&](const ActivationPlan& a) { return a.name == value; });
  return it == activations.end() ? nullptr : &*it;
}

ActivationPlan* Plan::find(const std::string& value) {
  return const_cast<ActivationPlan*>(std::as_const(*this).find(value));
}

void name_groups_after_first(Plan& plan) {
  std::map<std::string, std::string> first;
  for (ActivationPlan& a : plan.activations)
    a.group = first.try_emplace(a.group, a.name).first->second;
  for (NodePlan& node : plan.nodes)
    for (ConstantPlan& c : node.constants)
      if (!c.group.empty()) c.group = first.at(c.group);
}

std::size_t Plan::quantized_nodes() const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const NodePlan& n) { return n.quantized; }));
}

Json to_json(const std::vector<ChannelPlan>& channels) {
  Json json = Json::array();
  for (const ChannelPlan& c : channels) {
    json.push_back({{"name", c.name}, {"shift", c.shift}, {"scale", c.scale}});
    if (c.copied) json.back()["copied"] = true;
  }
  return json;
}

std::vector<ChannelPlan> channels_from_json(JsonObject& json, const char* key,
                                            const std::string& origin) {
  std::vector<ChannelPlan> channels;
  each(json, key, origin, [&](JsonObject& c) {
    channels.push_back({c.get<std::string>("name"), c.get<std::vector<float>>("shift"),
                        c.get<std::vector<float>>("scale"), c.get<bool>("copied", false)});
    if (std::any_of(channels.back().scale.begin(), channels.back().scale.end(),
                    [](float s) { return !(s > 0); }))
      c.fail("scale", "must be positive");
  });
  return channels;
}

Json to_json(const Plan& plan) {
  Json json = {
      {"schema", "intaglio.plan/1"}, {"target", plan.target}, {"model_hash", plan.model_hash}};
  json["warnings"] = plan.warnings;
  json["channels"] = to_json(plan.channels);
  json["activations"] = Json::array();
  for (const ActivationPlan& a : plan.activations)
    json["activations"].push_back({{"name", a.name},
                                   {"group", a.group},
                                   {"scheme", scheme_json(a.scheme)},
                                   {"notes", a.notes},
                                   {"range", {a.range.lo, a.range.hi}},
                                   {"params", params_json(a.params)}});
  json["nodes"] = Json::array();
  for (const NodePlan& n : plan.nodes) {
    Json node = {{"name", n.name},
                 {"op", n.op},
                 {"output", n.output},
                 {"quantized", n.quantized},
                 {"reason", n.reason}};
    node["constants"] = Json::array();
    for (const ConstantPlan& c : n.constants) {
      Json& constant = node["constants"].emplace_back(Json{{"input", c.input},
                                                           {"name", c.name},
                                                           {"scheme", scheme_json(c.scheme)},
                                                           {"group", c.group},
                                                           {"raised", c.raised},
                                                           {"params", params_json(c.params)}});
      if (c.codes.defined()) constant["codes"] = codes_json(c.codes);
    }
    if (n.bias)
      node["bias"] = {{"input", n.bias->input},
                      {"name", n.bias->name},
                      {"params", params_json(n.bias->params)}};
    if (n.bias && !n.bias->shift.empty()) node["bias"]["shift"] = n.bias->shift;
    if (n.precision) {
      node["precision"] = name_of(n.precision->type);
      node["precision_reason"] = n.precision->reason;
    }
    if (n.raised) node["raised"] = true;
    json["nodes"].push_back(std::move(node));
  }
  return json;
}

Plan plan_from_json(const Json& document, const std::string& origin) {
  JsonObject json(document, origin);
  json.choice("schema", {"intaglio.plan/1"});
  Plan plan;
  plan.target = json.get<std::string>("target");
  plan.model_hash = json.get<std::string>("model_hash");
  plan.warnings = json.get<std::vector<std::string>>("warnings");
  plan.channels = channels_from_json(json, "channels", origin);
  each(json, "activations", origin, [&](JsonObject& a) {
    const auto range = a.get<std::vector<float>>("range");
    if (range.size() != 2) a.fail("range", "expected [lo, hi]");
    plan.activations.push_back({a.get<std::string>("name"),
                                read_scheme(a.object("scheme")),
                                a.get<std::string>("group"),
                                a.get<std::vector<std::string>>("notes"),
                                {range[0], range[1]},
                                read_params(a.object("params"))});
  });
  each(json, "nodes", origin, [&](JsonObject& n) {
    NodePlan node{n.get<std::string>("name"),
                  n.get<std::string>("op"),
                  n.get<std::string>("output"),
                  n.get<bool>("quantized"),
                  n.get<std::string>("reason"),
                  {},
                  {}};
    each(n, "constants", origin, [&](JsonObject& c) {
      node.constants.push_back({c.get<std::size_t>("input"), c.get<std::string>("name"),
                                read_scheme(c.object("scheme")), read_params(c.object("params")),
                                c.get<std::string>("group"), c.get<int>("raised")});
      if (c.has("codes"))
        node.constants.back().codes =
            read_codes(c.object("codes"), node.constants.back().scheme.type);
    });
    if (n.has("bias")) {
      JsonObject b = n.object("bias");
      node.bias = BiasPlan{b.get<std::size_t>("input"), b.get<std::string>("name"),
                           read_params(b.object("params")), b.get<std::vector<float>>("shift", {})};
      b.done();
    }
    if (n.has("precision"))
      node.precision = Precision{dtype_named(n.choice("precision", {"float16", "float"})),
                                 n.get<std::string>("precision_reason")};
    node.raised = n.get<bool>("raised", false);
    plan.nodes.push_back(std::move(node));
  });
  json.done();
  return plan;
}

}  // namespace intaglio
