#include <fmt/format.h>

#include "apps/pipeline/context.h"
#include "apps/pipeline/keep.h"
#include "apps/report/html/markup.h"
#include "apps/report/html/methods.h"
#include "apps/report/html/sections.h"
#include "apps/report/report.h"
#include "calibration/ranges/methods/selector.h"
#include "lib/base/memory.h"
#include "lib/eval/share.h"
#include "lib/graph/contents.h"

namespace intaglio::html {
namespace {

std::string entry(const char* term, const std::string& html) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", term, html);
}

std::string hash(const Json& object) {
  return "SHA-256 " + code(object["sha256"].get<std::string>());
}

std::string input(const Json& model) {
  return fmt::format("{}, {}, {} nodes, opset {}<br>{}", code(model["path"].get<std::string>()),
                     human_bytes(model["bytes"].get<std::uint64_t>()),
                     model["nodes"].get<std::int64_t>(), model["opset"].get<std::int64_t>(),
                     hash(model));
}

std::string output(const Json& written) {
  if (written.is_null()) return "not written";
  return fmt::format("{}, {}, form {}<br>{}", code(written["path"].get<std::string>()),
                     human_bytes(written["bytes"].get<std::uint64_t>()),
                     escaped(written["format"].get<std::string>()), hash(written));
}

std::string data(const Json& d) {
  if (d.is_null()) return "none";
  std::string text = fmt::format("{} samples<br>{}", d["samples"].get<std::int64_t>(), hash(d));
  if (d.contains("preprocessing") && d["preprocessing"].is_object())
    text += "<br>Images: " + escaped(d["preprocessing"]["text"].get<std::string>());
  return text;
}

// "percentile (p = 99.99): the range that holds p percent of the values". method: name and
// parameters.
std::string method_words(const Json& method) {
  const std::string name = method["name"].get<std::string>();
  std::string parameters;
  for (const SelectorDef& def : selectors())
    for (const ParameterDef& p : def.parameters)
      if (def.name == name && method.contains(p.name))
        parameters += fmt::format("{}{} = {:g}", parameters.empty() ? "" : ", ", p.name,
                                  method[std::string(p.name)].get<double>());
  std::string words = code(name);
  if (!parameters.empty()) words += " (" + parameters + ")";
  for (const SelectorDef& def : selectors())
    if (def.name == name) words += ": " + escaped(def.help);
  return words;
}

// What the refine stage did; the page is of a model that has some of it, or of none.
std::string refined(const Json& refine) {
  std::string text = "effort " + code(refine["effort"].get<std::string>());
  const auto add = [&](const char* step, const char* count, const char* what) {
    if (refine[step].is_object() && refine[step][count].get<std::uint64_t>() > 0)
      text += fmt::format(", {} {}", refine[step][count].get<std::uint64_t>(), what);
  };
  add("shift", "values", "values shifted");
  add("equalization", "values", "values scaled");
  add("migration", "values", "values scaled into what multiplies them");
  add("rounding", "layers", "layers rounded together");
  add("bias_correction", "layers", "biases corrected");
  for (const Json& undone : refine["undone"])
    text += "<br>undone: " + escaped(undone.get<std::string>());
  return text;
}

std::string kept_layers(const Json& kept) {
  constexpr std::size_t listed = 10;
  std::string names;
  for (const Json& layer : kept["layers"])
    names += (names.empty() ? "" : ", ") + code(node_label(layer));
  if (kept["layers"].size() > listed)
    names = "<details><summary>Their names</summary>" + names + "</details>";
  return fmt::format(
      "{} layers, {} % of the {} of all that could be quantized{}{}", kept["layers"].size(),
      figure(kept, "share", "{:.1f}"),
      kept["objective"] == word_in(keep_objectives, KeepCost::size) ? "weights" : "products",
      names.empty() || kept["layers"].size() > listed ? "" : "<br>", names);
}

// The metric that would suit the model, where it was not measured.
std::string advice_on(const Json& evaluation) {
  if (!evaluation.is_object()) return "";
  const std::string advice = evaluation["metrics"].value("advice", "");
  return advice.empty() ? "" : entry("Advice", escaped(advice));
}

// How sure a share of few samples is.
std::string sureness(const Json& interval, std::int64_t samples) {
  if (!interval.is_array() || samples >= static_cast<std::int64_t>(few_counts)) return "";
  return fmt::format(" (95 % interval {:.1f} to {:.1f})", interval[0].get<double>(),
                     interval[1].get<double>());
}

// The sentence that one would quote.
std::string in_short(const PageSource& source) {
  const std::vector<MethodView> methods = methods_of(source.report);
  const MethodView& chosen = methods[chosen_of(source.report)];
  const auto before = source.report["model"]["bytes"].get<std::uint64_t>();
  std::string text =
      fmt::format("<strong>{}</strong> instead of {}: {}.", human_bytes(chosen.bytes),
                  human_bytes(before), size_ratio(before, chosen.bytes));
  const Json& e = chosen.evaluation;
  if (e.is_null()) return text + " Not evaluated: there was no data.";
  const auto samples = e["samples"].get<std::int64_t>();
  if (e["agreement"].is_number())
    text += fmt::format(" Same top class as the float model on <strong>{} %</strong> of {}{}.",
                        figure(e, "agreement", "{:.2f}"),
                        e["positions"] == samples
                            ? fmt::format("{} samples", samples)
                            : fmt::format("{} positions in {} samples",
                                          e["positions"].get<std::int64_t>(), samples),
                        sureness(e["intervals"]["agreement"], e["positions"].get<std::int64_t>()));
  if (e["boxes"].is_object())
    text += fmt::format(" F1 of the boxes <strong>{}</strong> over {} samples.",
                        figure(e["boxes"], "f1", "{:.4f}"), samples);
  if (e["ctc"].is_object())
    text += fmt::format(" Same string on <strong>{} %</strong> of {} lines.",
                        figure(e["ctc"], "equal_lines", "{:.2f}"),
                        e["ctc"]["lines"].get<std::int64_t>());
  if (e["tokens"].is_object())
    text += fmt::format(
        " Perplexity <strong>{}</strong>, float {}; KL {} nats; same most likely token on "
        "<strong>{} %</strong> of {} positions.",
        figure(e["tokens"], "perplexity", "{:.2f}"),
        figure(e["tokens"], "reference_perplexity", "{:.2f}"), figure(e["tokens"], "kl", "{:.4f}"),
        figure(e["tokens"], "same_token", "{:.2f}"), e["tokens"]["positions"].get<std::int64_t>());
  if (e["top1"].is_number()) {
    const Json& report = source.report;
    const Json& reference = is_comparison(report) ? report["reference"] : e["reference"];
    text += fmt::format(" Top-1 <strong>{} %</strong>, float {} %.", figure(e, "top1", "{:.2f}"),
                        figure(reference, "top1", "{:.2f}"));
  }
  if (!e["agreement"].is_number() && !e["boxes"].is_object() && !e["ctc"].is_object() &&
      !e["tokens"].is_object() && !e["outputs"].empty())
    text += fmt::format(
        " Cosine of output {}: <strong>{}</strong> in the mean of {} samples, {} in the worst.",
        code(e["outputs"].back()["name"].get<std::string>()),
        figure(e["outputs"].back(), "cosine_mean", "{:.4f}"), samples,
        figure(e["outputs"].back(), "cosine_min", "{:.4f}"));
  return text;
}

}  // namespace

std::string evaluation_summary(const Json& r) {
  std::string out = "<section id=\"summary\"><h2>Summary</h2>\n<dl>";
  out += entry("Model", input(r["model"]));
  out += entry("Compared with", r["reference"].is_null() ? "labels" : input(r["reference"]));
  out += entry("Samples", data(r["data"]));
  const Json& metrics = r["evaluation"]["metrics"];
  std::string names;
  for (const Json& name : metrics["names"])
    names += (names.empty() ? "" : ", ") + escaped(name.get<std::string>());
  out += entry("Measured by", names + ": " + escaped(metrics["reason"].get<std::string>()));
  return out + advice_on(r["evaluation"]) + "</dl></section>\n";
}

std::string summary_section(const PageSource& source) {
  const Json& r = source.report;
  const std::vector<MethodView> methods = methods_of(r);
  std::string out =
      "<section id=\"summary\"><h2>Summary</h2>\n<p>" + in_short(source) + "</p>\n<dl>";
  out += entry("Float model", input(r["model"]));
  out += entry("Quantized model", output(r["output"]));
  out += entry("Target", code(r["target"].get<std::string>()));
  std::string names;
  const Json one = Json::array({r.value("method", Json())});
  for (const Json& method : is_comparison(r) ? r["methods"] : one)
    names += (names.empty() ? "" : "<br>") + method_words(method);
  out += entry(methods.size() > 1 ? "Methods" : "Method", names);
  if (is_comparison(r))
    out += entry("Best", code(r["best"]["method"].get<std::string>()) + ", " +
                             escaped(r["best"]["reason"].get<std::string>()));
  const Json& refine = is_comparison(r) ? r["methods"][chosen_of(r)]["refine"] : r["refine"];
  out += entry("Refined", refined(refine));
  if (r.contains("keep_float") && r["keep_float"].is_object())
    out += entry(
        r["keep_float"]["as"] == word_in(keep_ways, KeepAs::floats) ? "Kept float" : "With 16 bits",
        kept_layers(r["keep_float"]));
  out += entry("Calibrated with", data(r["data"]));
  if (is_comparison(r)) out += entry("Evaluated with", data(r["evaluation_data"]));
  if (!is_comparison(r)) out += advice_on(r["evaluation"]);
  out += entry("Made by", fmt::format("{} {}", escaped(r["tool"]["name"].get<std::string>()),
                                      escaped(r["tool"]["version"].get<std::string>())));
  return out + "</dl></section>\n";
}

}  // namespace intaglio::html
