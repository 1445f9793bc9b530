#include "apps/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/report/flags.h"
#include "lib/base/memory.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

// --- Text ---

// As dump(2), but a list of plain values stays on one line: scales come by the hundred.
void print(const Json& json, std::size_t depth, std::string& out) {
  const bool nested =
      std::any_of(json.begin(), json.end(), [](const Json& j) { return j.is_structured(); });
  if (!json.is_structured() || json.empty() || (json.is_array() && !nested)) {
    out += json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
    return;
  }
  out += json.is_object() ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += first ? "\n" : ",\n";
    first = false;
    out.append(2 * (depth + 1), ' ');
    if (json.is_object())
      out += Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) + ": ";
    print(value, depth + 1, out);
  }
  out += "\n";
  out.append(2 * depth, ' ');
  out += json.is_object() ? "}" : "]";
}

// The recipe for people: where it comes from, and what reaches the model.
Json preprocessing_json(const std::optional<PreprocessRecipe>& recipe) {
  if (!recipe) return {};
  const InputRange range = input_range(*recipe);
  return {{"text", describe(*recipe)},
          {"origin", recipe->origin},
          {"input_min", range.lo},
          {"input_max", range.hi}};
}

Json boxes_json(const BoxMatches& boxes, const MetricPlan& plan) {
  return {{"decoder", plan.decoder.def->name},
          {"score_threshold", plan.detect.score},
          {"nms_iou", plan.decoder.def->suppressed ? Json() : Json(plan.detect.nms)},
          {"match_iou", plan.detect.match},
          {"f1", number(boxes.f1())},
          {"precision", number(boxes.precision())},
          {"recall", number(boxes.recall())},
          {"matched", boxes.matched},
          {"reference", boxes.expected},
          {"found", boxes.found}};
}

Json interval_json(const ConfidenceInterval& interval) { return {interval.lo, interval.hi}; }

Json strings_json(const StringErrors& strings, const MetricPlan& plan) {
  const auto equal = strings.equal_lines();
  return {{"blank", plan.ctc.blank},
          {"lines", strings.lines},
          {"unread", strings.unread},
          {"equal_lines", equal ? Json(equal->percent()) : Json()},
          {"equal_lines_interval", equal ? interval_json(equal->interval()) : Json()},
          {"characters", strings.characters},
          {"errors", strings.errors},
          {"character_error", number(strings.character_error())}};
}

Json tokens_json(const TokenErrors& tokens, const MetricPlan& plan) {
  const auto same = tokens.same_tokens();
  return {{"output", plan.signature.outputs[plan.language->output].name},
          {"positions", tokens.positions},
          {"predicted", tokens.predicted},
          {"left_out", tokens.left_out},
          {"perplexity", number(tokens.perplexity())},
          {"reference_perplexity", number(tokens.reference_perplexity())},
          {"perplexity_rise", number(tokens.perplexity_rise())},
          {"kl", number(tokens.mean_kl())},
          {"same_token", same ? Json(same->percent()) : Json()},
          {"same_token_interval", same ? interval_json(same->interval()) : Json()}};
}

}  // namespace

Json number(std::optional<double> value) {
  return value && std::isfinite(*value) ? Json(*value) : Json();
}

Json tool_json() { return {{"name", "intaglio"}, {"version", INTAGLIO_VERSION}}; }

Json method_json(const Method& method) {
  Json json = {{"name", method.name}};
  json.update(method.parameters);
  return json;
}

Json model_json(const SourceFile& file) {
  return {{"path", file.path},
          {"sha256", file.sha256},
          {"bytes", file.bytes},
          {"opset", file.opset},
          {"nodes", file.nodes}};
}

namespace {

Json ports_json(const std::vector<TflitePort>& ports) {
  Json list = Json::array();
  for (const TflitePort& port : ports)
    list.push_back({{"name", port.name},
                    {"type", name_of(port.type)},
                    {"shape", port.shape},
                    {"channels_last", port.channels_last}});
  return list;
}

Json tflite_json(const TfliteFile& file) {
  Json in_float = Json::array();
  for (const TfliteFile::InFloat& node : file.in_float)
    in_float.push_back({{"node", node.node}, {"reason", node.reason}});
  return {{"operators", file.operators},
          {"on_codes", file.on_codes},
          {"conversions", file.conversions},
          {"transposes", file.transposes},
          {"in_float", in_float},
          {"inputs", ports_json(file.inputs)},
          {"outputs", ports_json(file.outputs)}};
}

// Keys of a file that lies beside the output.
Json file_json(const HandedFile& file) {
  return {{"path", file.path}, {"sha256", file.sha256}, {"bytes", file.bytes}};
}

Json ncnn_json(const NcnnSummary& network) {
  Json layers = Json::array();
  for (const NcnnSummary::Layer& layer : network.layers)
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"node", layer.node},
                      {"integer", layer.integer},
                      {"reason", layer.reason}});
  return {{"bin", {{"path", network.bin}, {"sha256", network.bin_sha256}}},
          {"of_float_output", network.on_grid},
          {"layers", layers},
          {"missing", network.missing},
          {"without", network.without}};
}

}  // namespace

Json handed_over_json(const HandedOver& handed) {
  Json ranges;
  if (handed.ranges) {
    ranges = file_json(handed.ranges->file);
    ranges["format"] = word_of(handed.ranges->format);
    ranges["values"] = handed.ranges->values;
    ranges["missing"] = handed.ranges->missing;
  }
  return {{"float_output", handed.float_model ? file_json(*handed.float_model) : Json()},
          {"ranges", ranges}};
}

Json output_json(const SavedFile& file) {
  Json json = {
      {"path", file.path}, {"sha256", file.sha256}, {"bytes", file.bytes}, {"format", file.format}};
  json["shapes_fixed"] = Json::array();
  for (const FixedShape& fixed : file.fixed)
    json["shapes_fixed"].push_back({{"input", fixed.input},
                                    {"before", to_string(fixed.before)},
                                    {"after", to_string(fixed.after)}});
  if (file.tflite) json["tflite"] = tflite_json(*file.tflite);
  if (file.ncnn) json["ncnn"] = ncnn_json(*file.ncnn);
  return json;
}

Json data_json(const std::optional<DataSummary>& data) {
  if (!data) return {};
  Json skipped = Json::array();
  for (const SkippedFile& s : data->skipped)
    skipped.push_back({{"file", s.file}, {"reason", s.reason}});
  return {{"samples", data->samples},       {"skipped", skipped},
          {"preprocess", data->preprocess}, {"preprocessing", preprocessing_json(data->recipe)},
          {"tokens", data->tokens},         {"sha256", data->sha256}};
}

Json execution_json(const std::optional<ExecutionSummary>& execution) {
  if (!execution) return {};
  Json left = Json::array();
  for (const IntegerDecision& d : execution->float_nodes)
    left.push_back({{"name", d.node}, {"op", d.op}, {"reason", d.reason}});
  return {{"exact", word_of(execution->integer ? Arithmetic::integer : Arithmetic::floating)},
          {"integer_nodes", execution->integer_nodes},
          {"float_nodes", left}};
}

Json keep_json(const std::optional<KeepSummary>& kept) {
  if (!kept) return {};
  Json trials = Json::array(), layers = Json::array();
  for (const KeepTrial& t : kept->trials) {
    Json reached = Json::object();
    for (const Reached& figure : t.reached) reached[figure.head] = figure.text;
    trials.push_back({{"layers", t.layers.size()},
                      {"share", t.cost},
                      {"macs_percent", t.macs},
                      {"reached", reached},
                      {"sqnr_db", number(t.noise.sqnr_db())},
                      {"agreement", number(t.agreement)},
                      {"missed", t.missed}});
  }
  for (const KeptLayer& l : kept->layers)
    layers.push_back({{"name", l.name},
                      {"op", l.op},
                      {"output", l.output},
                      {"macs", l.macs},
                      {"weights", l.weights}});
  return {{"requested", kept->asked.layers},
          {"objective", word_in(keep_objectives, kept->asked.objective)},
          {"as", word_in(keep_ways, kept->asked.as)},
          {"met", kept->met ? Json(*kept->met) : Json()},
          {"share", kept->share},
          {"macs_percent", kept->macs},
          {"layers", layers},
          {"trials", trials},
          {"interrupted", kept->interrupted}};
}

Json run_json(const Context& context, std::size_t samples, double sample_seconds) {
  Json list = Json::object();
  for (const auto& [name, seconds] : context.phases) list[name] = list.value(name, 0.0) + seconds;
  return {
      {"options", context.options},
      {"threads", context.worker_count()},
      {"wall_s", context.seconds()},
      {"phases", list},
      {"samples_per_s", sample_seconds > 0 ? static_cast<double>(samples) / sample_seconds : 0.0},
      {"peak_memory_bytes", peak_memory()}};
}

namespace {

// What the writer found of a node beyond what was planned.
std::string reason_of(const NodePlan& node, const Written& written) {
  if (!node.quantized) return node.reason;
  if (const auto it = written.in_float.find(node.name);
      it != written.in_float.end() && node.reason.empty())
    return "between Q/DQ pairs: " + it->second;
  const auto it = written.dropped.find(node.name.empty() ? node.output : node.name);
  if (it == written.dropped.end()) return node.reason;
  return node.reason.empty() ? it->second : node.reason + "; " + it->second;
}

}  // namespace

Json nodes_json(const Plan& plan, const Folded& folded, const Written& written) {
  Json list = Json::array();
  for (const NodePlan& node : plan.nodes) {
    list.push_back({{"name", node.name},
                    {"op", node.op},
                    {"output", node.output},
                    {"status", node.quantized ? "quantized" : "float"},
                    {"reason", reason_of(node, written)}});
    if (node.precision) {
      list.back()["precision"] = name_of(node.precision->type);
      list.back()["precision_reason"] = node.precision->reason;
    }
  }
  for (const Folded::Entry& entry : folded.nodes)
    list.push_back({{"name", entry.name},
                    {"op", entry.op},
                    {"status", "folded"},
                    {"reason", "gone before quantization: " + entry.pass}});
  return list;
}

Json evaluation_json(const Evaluation& e) {
  Json json = {{"samples", e.samples}};
  json["top1"] = e.accuracy ? Json(e.accuracy->top1.percent()) : Json();
  json["top5"] = e.accuracy ? Json(e.accuracy->top5.percent()) : Json();
  json["agreement"] = e.agreement ? Json(e.agreement->percent()) : Json();
  json["positions"] = e.agreement ? Json(e.agreement->whole) : Json();
  json["intervals"] = {
      {"top1", e.accuracy ? interval_json(e.accuracy->top1.interval()) : Json()},
      {"top5", e.accuracy ? interval_json(e.accuracy->top5.interval()) : Json()},
      {"agreement", e.agreement ? interval_json(e.agreement->interval()) : Json()}};
  json["outputs"] = Json::array();
  for (const OutputDeviation& output : e.outputs) {
    Json entry = {{"name", output.name}};
    for (const MetricDef& def : all_metrics())
      if (def.of_outputs()) entry[std::string(def.output.key)] = number(def.output.of(output));
    entry["cosine_mean"] = number(output.cosines.mean());
    entry["cosine_min"] = number(output.cosines.worst());
    entry["left_out"] = output.deviation.left_out;
    entry["one_sided"] = output.deviation.one_sided;
    json["outputs"].push_back(std::move(entry));
  }
  json["boxes"] = e.boxes ? boxes_json(*e.boxes, e.plan) : Json();
  json["ctc"] = e.strings ? strings_json(*e.strings, e.plan) : Json();
  json["tokens"] = e.tokens ? tokens_json(*e.tokens, e.plan) : Json();
  json["metrics"] = {
      {"names", Json::array()}, {"reason", e.plan.reason}, {"advice", e.plan.advice}};
  json["padding"] =
      e.padding == 0
          ? Json()
          : Json{{"input", e.plan.mask_name}, {"tokens", e.all_tokens}, {"left_out", e.padding}};
  for (const Metric metric : e.plan.metrics) json["metrics"]["names"].push_back(name_of(metric));
  json["reference"] = e.reference ? Json{{"top1", e.reference->top1.percent()},
                                         {"top5", e.reference->top5.percent()}}
                                  : Json();
  return json;
}

Json gates_json(const std::vector<JudgedGate>& gates) {
  Json list = Json::array();
  for (const JudgedGate& gate : gates) {
    const GateOutcome& o = gate.outcome;
    list.push_back({{"name", gate.name},
                    {"asked", gate.asked},
                    {"output", o.of.empty() ? Json() : Json(o.of)},
                    {"measured", number(o.measured)},
                    {"interval", o.interval ? interval_json(*o.interval) : Json()},
                    {"holds", gate.holds()},
                    {"unsure", gate.unsure()},
                    {"missed", o.missed.empty() ? Json() : Json(o.missed)}});
  }
  return list;
}

Json passes_json(const std::vector<PassCount>& counts) {
  Json json = Json::object();
  for (const PassCount& count : counts) json[std::string(count.name)] = count.rewrites;
  return json;
}

std::string node_label(const Json& node) {
  const std::string name = node["name"].get<std::string>();
  return name.empty() ? node.value("output", "") : name;
}

std::string to_text(const Json& json) {
  std::string text;
  print(sentences_with_flags(json), 0, text);
  return text + "\n";
}

}  // namespace intaglio
