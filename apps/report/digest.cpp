#include "apps/report/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

constexpr std::string_view schema = "intaglio.report/1";

constexpr std::array defs = {
    FigureDef{.name = "output_bytes",
              .head = "bytes",
              .gate = "max-size-growth",
              .unit = "PERCENT",
              .help = "the model grows by more",
              .decimals = 0,
              .small = true,
              .relative = true},
    FigureDef{.name = "float_nodes",
              .head = "nodes in float",
              .gate = "max-float-rise",
              .unit = "N",
              .help = "more nodes than before stay float, by more than this",
              .decimals = 0,
              .small = true},
    FigureDef{.name = "integer_macs",
              .head = "MACs in integers %",
              .gate = "max-integer-macs-drop",
              .unit = "POINTS",
              .help = "the share of MACs in integers falls by more"},
    FigureDef{.name = "top1",
              .head = "top-1 %",
              .gate = "max-top1-drop",
              .unit = "POINTS",
              .help = "top-1 falls by more"},
    FigureDef{.name = "top5",
              .head = "top-5 %",
              .gate = "max-top5-drop",
              .unit = "POINTS",
              .help = "top-5 falls by more"},
    FigureDef{.name = "agreement",
              .head = "agreement %",
              .gate = "max-agreement-drop",
              .unit = "POINTS",
              .help = "agreement with the float model falls by more"},
    FigureDef{.name = "sqnr_db",
              .head = "SQNR dB",
              .gate = "max-sqnr-drop",
              .unit = "DB",
              .help = "the SQNR of an output falls by more"},
    FigureDef{.name = "cosine",
              .head = "cosine",
              .gate = "max-cosine-drop",
              .unit = "0..1",
              .help = "the cosine of an output falls by more",
              .decimals = 6},
    FigureDef{.name = "psnr_db",
              .head = "PSNR dB",
              .gate = "max-psnr-drop",
              .unit = "DB",
              .help = "the PSNR of an output falls by more"},
    FigureDef{.name = "boxes_f1",
              .head = "boxes F1",
              .gate = "max-boxes-f1-drop",
              .unit = "0..1",
              .help = "the F1 of the boxes falls by more",
              .decimals = 4},
    FigureDef{.name = "character_error",
              .head = "character error %",
              .gate = "max-character-error-rise",
              .unit = "POINTS",
              .help = "the share of wrong characters rises by more",
              .small = true},
    FigureDef{.name = "equal_lines",
              .head = "equal lines %",
              .gate = "max-equal-lines-drop",
              .unit = "POINTS",
              .help = "the share of equal lines falls by more"},
    FigureDef{.name = "perplexity",
              .head = "perplexity",
              .gate = "max-perplexity-rise",
              .unit = "PERCENT",
              .help = "perplexity rises by more",
              .small = true,
              .relative = true},
    FigureDef{.name = "kl",
              .head = "KL nats",
              .gate = "max-kl-rise",
              .unit = "NATS",
              .help = "KL from the float model rises by more",
              .decimals = 5,
              .small = true},
    FigureDef{.name = "same_token",
              .head = "same token %",
              .gate = "max-same-token-drop",
              .unit = "POINTS",
              .help = "the share of equal most likely tokens falls by more"},
};

const FigureDef& def(std::string_view name) {
  for (const FigureDef& each : defs)
    if (each.name == name) return each;
  throw Error(Code::internal, fmt::format("no figure is called '{}'", name));
}

// --- Reading ---

bool given(JsonObject& object, std::string_view key) {
  return object.has(key) && !object.at(key).is_null();
}

std::optional<double> number_in(JsonObject& object, std::string_view key) {
  return given(object, key) ? std::optional(object.get<double>(key)) : std::nullopt;
}

std::string text_in(JsonObject& object, std::string_view key) {
  return given(object, key) ? object.get<std::string>(key) : std::string();
}

const Json& list_in(JsonObject& object, std::string_view key) {
  const Json& list = object.at(key);
  if (!list.is_array()) object.fail(key, "expected a list");
  return list;
}

std::optional<ConfidenceInterval> interval_in(JsonObject& object, std::string_view key) {
  if (!given(object, key)) return std::nullopt;
  const auto ends = object.get<std::vector<double>>(key);
  if (ends.size() != 2) object.fail(key, "expected two numbers");
  return ConfidenceInterval{ends[0], ends[1]};
}

// "4096", not "4096.0".
std::string number_text(const Json& value) {
  return value.is_number() ? fmt::format("{}", value.get<double>()) : value.dump();
}

// Whatever another document is, its name says it best.
void require_report(const Json& document, const std::string& path) {
  const auto refuse = [&](const std::string& reason, const std::string& remedy) {
    throw Error(Code::config, fmt::format("{}: {}", path, reason), remedy);
  };
  const std::string remedy = "Give what quantize --report wrote.";
  if (!document.is_object() || !document.contains("schema") || !document["schema"].is_string())
    refuse("no report: it names no schema", remedy);
  const std::string name = document["schema"];
  if (name == schema) return;
  if (name.starts_with("intaglio.report/"))
    refuse(fmt::format("a report of version '{}', not '{}'", name, schema),
           "Compare it with the version of the program that wrote it.");
  refuse(fmt::format("holds '{}', not a report of quantize ('{}')", name, schema), remedy);
}

class Reader {
 public:
  Reader(const Json& document, const std::string& path) : path_(path), report_(document, path) {}

  ReportDigest run() {
    out_.path = path_;
    out_.version = report_.object("tool").get<std::string>("version");
    JsonObject model = report_.object("model"), output = report_.object("output");
    out_.model = {model.get<std::string>("path"), model.get<std::string>("sha256")};
    out_.output = {output.get<std::string>("path"), output.get<std::string>("sha256")};
    out_.format = output.get<std::string>("format");
    out_.target = report_.get<std::string>("target");
    out_.method = method();
    if (given(report_, "data")) out_.data = report_.object("data").get<std::string>("sha256");
    add("output_bytes", output.get<double>("bytes"));
    read_nodes();
    add("integer_macs", number_of("check", "integer_macs_percent"));
    read_values();
    read_evaluation();
    out_.options = report_.object("run").at("options");
    if (!out_.options.is_object()) report_.fail("run", "its options are no object");
    return std::move(out_);
  }

 private:
  // "percentile:p=99.99".
  std::string method() {
    JsonObject method = report_.object("method");
    std::string text = method.get<std::string>("name"), separator = ":";
    for (const auto& [key, value] : report_.at("method").items())
      if (key != "name") {
        text += fmt::format("{}{}={}", separator, key, number_text(value));
        separator = ",";
      }
    return text;
  }

  std::optional<double> number_of(std::string_view part, std::string_view key) {
    JsonObject object = report_.object(part);
    return number_in(object, key);
  }

  void add(std::string_view name, std::optional<double> value, std::string of = {},
           std::optional<ConfidenceInterval> interval = {}) {
    if (value) out_.figures.push_back({&def(name), std::move(of), *value, interval});
  }

  void read_nodes() {
    double floats = 0;
    const Json& list = list_in(report_, "nodes");
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonObject node(list[i], path_, fmt::format("$.nodes[{}]", i));
      DigestNode n{text_in(node, "name"), node.get<std::string>("op"), text_in(node, "output"),
                   node.get<std::string>("status"), text_in(node, "reason")};
      if (n.status == "folded") continue;
      floats += n.status == "float";
      out_.nodes.push_back(std::move(n));
    }
    add("float_nodes", floats);
  }

  void read_values() {
    const Json& list = list_in(report_, "values");
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonObject value(list[i], path_, fmt::format("$.values[{}]", i));
      DigestValue v{value.get<std::string>("name"), value.get<std::string>("kind"),
                    text_in(value, "node"),         text_in(value, "type"),
                    number_in(value, "lo"),         number_in(value, "hi")};
      if (v.kind != "folded") out_.values.push_back(std::move(v));
    }
  }

  void read_evaluation() {
    if (!given(report_, "evaluation")) return;
    out_.evaluation_source = text_in(report_, "evaluation_source");
    JsonObject e = report_.object("evaluation");
    out_.samples = e.get<std::uint64_t>("samples");
    JsonObject intervals = e.object("intervals");
    for (const char* name : {"top1", "top5", "agreement"})
      add(name, number_in(e, name), {}, interval_in(intervals, name));
    read_outputs(e);
    if (given(e, "boxes")) {
      JsonObject boxes = e.object("boxes");
      add("boxes_f1", number_in(boxes, "f1"));
    }
    if (given(e, "ctc")) {
      JsonObject ctc = e.object("ctc");
      add("character_error", number_in(ctc, "character_error"));
      add("equal_lines", number_in(ctc, "equal_lines"), {},
          interval_in(ctc, "equal_lines_interval"));
    }
    if (given(e, "tokens")) {
      JsonObject tokens = e.object("tokens");
      add("perplexity", number_in(tokens, "perplexity"));
      add("kl", number_in(tokens, "kl"));
      add("same_token", number_in(tokens, "same_token"), {},
          interval_in(tokens, "same_token_interval"));
    }
  }

  // Null stands for what is exact, where the metric was measured.
  void read_outputs(JsonObject& e) {
    const auto measured = e.object("metrics").get<std::vector<std::string>>("names");
    const Json& list = list_in(e, "outputs");
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonObject output(list[i], path_, fmt::format("$.evaluation.outputs[{}]", i));
      for (const MetricDef& metric : all_metrics()) {
        if (!metric.of_outputs()) continue;
        std::optional<double> value = number_in(output, metric.output.key);
        const bool asked = std::ranges::find(measured, metric.name) != measured.end();
        if (!value && asked && output.has(metric.output.key)) value = metric.output.exact;
        add(metric.output.key, value, output.get<std::string>("name"));
      }
    }
  }

  const std::string& path_;
  JsonObject report_;
  ReportDigest out_;
};

}  // namespace

std::span<const FigureDef> figure_defs() { return defs; }

ReportDigest read_digest(const std::string& path) {
  const Json document = read_json_file(path);
  require_report(document, path);
  return Reader(document, path).run();
}

}  // namespace intaglio
