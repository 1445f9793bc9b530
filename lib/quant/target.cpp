#include "lib/quant/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "lib/base/json.h"
#include "lib/quant/composite.h"
#include "lib/quant/form.h"

namespace intaglio {
namespace {

using Strings = std::vector<std::string>;

// --- Words of target files alone ---

enum class ZeroPoints { any, zero };
constexpr Words<ZeroPoints, 2> words(ZeroPoints) {
  return {{{"any", ZeroPoints::any}, {"zero", ZeroPoints::zero}}};
}
// Of weights, zero points may depend on the granularity.
enum class WeightZeroPoints { any, zero, zero_per_channel };
constexpr Words<WeightZeroPoints, 3> words(WeightZeroPoints) {
  return {{{"any", WeightZeroPoints::any},
           {"zero", WeightZeroPoints::zero},
           {"zero_per_channel", WeightZeroPoints::zero_per_channel}}};
}
enum class Shapes { any, fixed };
constexpr Words<Shapes, 2> words(Shapes) {
  return {{{"any", Shapes::any}, {"fixed", Shapes::fixed}}};
}
enum class WrittenZeroPoints { any, never_zero };
constexpr Words<WrittenZeroPoints, 2> words(WrittenZeroPoints) {
  return {{{"any", WrittenZeroPoints::any}, {"never_zero", WrittenZeroPoints::never_zero}}};
}
enum class Implied { kept, dropped };
constexpr Words<Implied, 2> words(Implied) {
  return {{{"kept", Implied::kept}, {"dropped", Implied::dropped}}};
}
enum class BiasType { s32, floats };
constexpr Words<BiasType, 2> words(BiasType) {
  return {{{"s32", BiasType::s32}, {"float", BiasType::floats}}};
}
enum class Scales { any, power_of_two };
constexpr Words<Scales, 2> words(Scales) {
  return {{{"any", Scales::any}, {"power_of_two", Scales::power_of_two}}};
}

template <typename T>
T word_or(JsonObject& json, std::string_view key, T fallback) {
  return json.has(key) ? json.word<T>(key) : fallback;
}

// What a target may say it reads: the forms, and operators of com.microsoft behind the first form
// that has any.
Strings accepted_forms() {
  Strings names;
  for (const FormTraits& traits : form_traits) {
    names.emplace_back(word_of(traits.form));
    if (traits.contrib && std::ranges::find(names, contrib_form) == names.end())
      names.emplace_back(contrib_form);
  }
  return names;
}

Scheme read_scheme(JsonObject json, bool* per_channel) {
  Scheme scheme;
  scheme.type = dtype_named(json.choice("type", {"u8", "s8", "u16", "s16"}));
  scheme.symmetric = json.get<bool>("symmetric");
  scheme.reduce_range = json.get<bool>("reduce_range", false);
  if (per_channel != nullptr)
    *per_channel = json.word<Granularity>("granularity") == Granularity::channel;
  json.done();
  return scheme;
}

FixedOutput read_fixed(JsonObject json) {
  const FixedOutput fixed{json.get<float>("scale"), json.get<std::int32_t>("zero_point")};
  if (!(fixed.scale > 0)) json.fail("scale", "must be positive");
  json.done();
  return fixed;
}

std::vector<DType> read_types(JsonObject& json) {
  std::vector<DType> types;
  for (const std::string& word : json.get<Strings>("types")) {
    types.push_back(dtype_named(word));
    if (types.back() == DType::undefined)
      json.fail("types", "'" + word + "' is not an element type");
  }
  return types;
}

// What a rule says of some nodes of its operator.
void read_exceptions(JsonObject& json, OpRule& rule) {
  rule.modes = json.get<Strings>("modes", {});
  rule.float_result = json.get<bool>("float_result", false);
  rule.always_codes = json.get<bool>("always_codes", false);
  rule.without_weights = json.get<std::string>("without_weights", "");
  if (!rule.without_weights.empty() && rule.role != Role::compute)
    json.fail("without_weights", "is for role compute");
  rule.float_off_zero = json.get<std::string>("float_off_zero", "");
  if (!json.has("wrong_with")) return;
  JsonObject wrong = json.object("wrong_with");
  rule.wrong_types = read_types(wrong);
  rule.wrong_because = wrong.get<std::string>("because");
  wrong.done();
}

OpRule read_rule(JsonObject json) {
  OpRule rule;
  rule.role = json.word<Role>("role");
  if (rule.role == Role::activation) {
    rule.fuses_into = json.get<Strings>("fuses_into");
    rule.float_into = json.get<Strings>("float_into", {});
    rule.float_products = json.get<std::int64_t>("float_products", 0);
    if (json.has("float_products") &&
        std::ranges::find(rule.float_into, "Conv") == rule.float_into.end())
      json.fail("float_products", "is of no use unless float_into has Conv");
  }
  rule.float_output = json.get<bool>("float_output", false);
  rule.float_because = json.get<std::string>("float_because", "");
  rule.left_float = json.get<std::string>("left_float", "");
  rule.min_scale = json.get<float>("min_scale", 0);
  if (!(rule.min_scale >= 0) || std::isinf(rule.min_scale))
    json.fail("min_scale", "must be a finite number, 0 or more");
  if (rule.min_scale > 0 && rule.role != Role::activation && rule.role != Role::elementwise)
    json.fail("min_scale", "is for activations and elementwise operators");
  if (rule.role == Role::compute)
    rule.per_channel = word_or(json, "granularity", Granularity::channel) == Granularity::channel;
  if (json.has("fixed_output")) {
    if (rule.role != Role::activation && rule.role != Role::elementwise)
      json.fail("fixed_output", "is for activations and elementwise operators");
    rule.fixed = read_fixed(json.object("fixed_output"));
  }
  read_exceptions(json, rule);
  json.done();
  return rule;
}

Accepts read_accepts(JsonObject json) {
  Accepts accepts;
  accepts.forms = json.get<Strings>("forms");
  const Strings known = accepted_forms();
  for (const std::string& form : accepts.forms)
    if (std::ranges::find(known, form) == known.end())
      json.fail("forms", fmt::format("'{}' is none of {}", form, fmt::join(known, ", ")));
  JsonObject activations = json.object("activations");
  accepts.activations = read_types(activations);
  accepts.activation_zero_points = activations.word<ZeroPoints>("zero_point") == ZeroPoints::any;
  activations.done();
  JsonObject weights = json.object("weights");
  accepts.weights = read_types(weights);
  const auto zeros = weights.word<WeightZeroPoints>("zero_point");
  accepts.weight_zero_points = zeros != WeightZeroPoints::zero;
  accepts.channel_zero_points = zeros == WeightZeroPoints::any;
  accepts.per_channel = weights.word<Granularity>("granularity") == Granularity::channel;
  weights.done();
  const auto bias = json.get<Strings>("bias");
  const auto takes = [&](BiasType type) {
    return std::ranges::find(bias, word_of(type)) != bias.end();
  };
  accepts.s32_bias = takes(BiasType::s32);
  accepts.float_bias = takes(BiasType::floats);
  if (bias.size() != static_cast<std::size_t>(accepts.s32_bias + accepts.float_bias))
    json.fail("bias", "holds something else than s32 and float");
  json.done();
  return accepts;
}

// What a file without "accepts" reads: what it writes.
Accepts own_schemes(const Target& target) {
  Accepts accepts;
  accepts.forms = accepted_forms();
  accepts.activations = {target.activations.type};
  accepts.weights = {target.weights.type};
  accepts.per_channel = target.per_channel;
  return accepts;
}

bool contains(const std::vector<DType>& types, DType type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

std::string words(const std::vector<DType>& types) {
  std::vector<std::string_view> names;
  for (const DType type : types) names.push_back(name_of(type));
  return fmt::format("{}", fmt::join(names, ", "));
}

// A symmetric scheme of a signed type has zero point 0, unless that is avoided.
bool zero_is_zero(const Scheme& scheme) {
  return scheme.symmetric && is_signed_code(scheme.type) && !scheme.off_centre;
}

// Why the schemes are not what the target accepts; empty: they are.
std::string misfit(const Target& t) {
  const Accepts& a = t.accepts;
  if (!contains(a.activations, t.activations.type))
    return fmt::format("takes activations of type {}, not {}", words(a.activations),
                       name_of(t.activations.type));
  if (!contains(a.weights, t.weights.type))
    return fmt::format("takes weights of type {}, not {}", words(a.weights),
                       name_of(t.weights.type));
  if (is_float(t.weights.type)) return {};  // neither scales nor zero points
  if (!a.activation_zero_points && !zero_is_zero(t.activations))
    return "takes activations with zero point 0 alone: they must be signed and symmetric";
  if (!a.weight_zero_points && !zero_is_zero(t.weights))
    return "takes weights with zero point 0 alone: they must be signed and symmetric";
  if (t.per_channel && !a.channel_zero_points && !zero_is_zero(t.weights))
    return "takes weights with a scale per channel with zero point 0 alone: they must be signed "
           "and symmetric, or have one scale";
  if (!a.per_channel && t.per_channel) return "takes weights with one scale alone";
  return {};
}

}  // namespace

void require_accepted(const Target& target, const std::string& form) {
  std::string reason = misfit(target);
  const auto& forms = target.accepts.forms;
  if (std::find(forms.begin(), forms.end(), form) == forms.end())
    reason = fmt::format("reads no models in the form '{}', but {}", form, fmt::join(forms, ", "));
  if (!reason.empty())
    throw Error(Code::config, fmt::format("target '{}' {}", target.name, reason),
                "Leave out the option that contradicts it, or choose another `target`.");
}

void require_float16(const Target& target) {
  if (!target.float16)
    throw Error(Code::config, fmt::format("target '{}' takes no float16 operators", target.name),
                "Leave out `float16`, or choose another `target`.");
}

Target placed_for_accuracy(Target target) {
  for (auto& [op, rule] : target.ops)
    rule.fuses_into.insert(rule.fuses_into.end(), rule.float_into.begin(), rule.float_into.end());
  return target;
}

void avoid_zero_points(Target& target) {
  target.activations.off_centre = target.weights.off_centre = true;
}

namespace {

// Composites have names that the program knows.
std::map<std::string, Strings> read_composites(const Json& names, JsonObject json) {
  std::map<std::string, Strings> composites;
  for (const auto& item : names.items()) {
    if (!is_composite(item.key()))
      json.fail(item.key(), fmt::format("is none of {}", composite_names()));
    composites[item.key()] = json.get<Strings>(item.key());
  }
  json.done();
  return composites;
}

void read_shape_of_file(JsonObject& json, Target& target) {
  if (json.has("last_opset")) target.last_opset = json.get<std::int64_t>("last_opset");
  if (json.has("last_ir")) target.last_ir = json.get<std::int64_t>("last_ir");
  if (target.last_opset && *target.last_opset < target.opset)
    json.fail("last_opset", "is less than opset");
  target.fixed_shapes = word_or(json, "shapes", Shapes::any) == Shapes::fixed;
  target.drops_implied = word_or(json, "implied_activations", Implied::kept) == Implied::dropped;
  if (word_or(json, "zero_points", WrittenZeroPoints::any) == WrittenZeroPoints::never_zero)
    avoid_zero_points(target);
  if (json.has("composites"))
    target.composites = read_composites(json.at("composites"), json.object("composites"));
}

}  // namespace

Target read_target(const std::filesystem::path& path) {
  const Json document = read_json_file(path);
  JsonObject json(document, path.string());
  Target target;
  target.name = json.get<std::string>("name");
  target.description = json.get<std::string>("description");
  target.opset = json.get<std::int64_t>("opset", target.opset);
  if (target.opset < 13)
    json.fail("opset", "must be 13 or more: per-channel DequantizeLinear needs it");
  target.activations = read_scheme(json.object("activations"), nullptr);
  target.weights = read_scheme(json.object("weights"), &target.per_channel);
  target.min_range = json.get<double>("min_range", target.min_range);
  target.float_bias = word_or(json, "bias", BiasType::s32) == BiasType::floats;
  target.power_of_two = word_or(json, "scales", Scales::any) == Scales::power_of_two;
  target.saturating = json.get<bool>("saturating", false);
  target.engine = word_or(json, "engine", Engine::pairs);
  read_shape_of_file(json, target);
  target.float_results = json.get<bool>("float_results", false);
  target.fallback = json.get<std::string>("fallback", target.fallback);
  target.accepts = json.has("accepts") ? read_accepts(json.object("accepts")) : own_schemes(target);
  JsonObject ops = json.object("ops");
  for (const auto& item : json.at("ops").items())
    target.ops[item.key()] = read_rule(ops.object(item.key()));
  ops.done();
  if (json.has("float16")) {
    JsonObject stay = json.object("float16");
    target.float16.emplace();
    for (const auto& item : json.at("float16").items())
      (*target.float16)[item.key()] = stay.get<std::string>(item.key().c_str());
    stay.done();
  }
  json.done();
  if (const std::string reason = misfit(target); !reason.empty())
    json.fail("accepts", fmt::format("contradicts the schemes: the target {}", reason));
  if (target.float_bias ? !target.accepts.float_bias : !target.accepts.s32_bias)
    json.fail("bias", "is not among those of accepts.bias");
  return target;
}

}  // namespace intaglio
