#include "lib/eval/metric.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/eval/decoders_lists.h"
#include "lib/eval/metric_def.h"
#include "lib/eval/positions.h"

namespace intaglio {
namespace {

constexpr std::int64_t least_side = 8;  // of an image

bool holds_image(const Shape& shape) {
  const auto size = image_size(shape);
  return size && size->height >= least_side && size->width >= least_side;
}

bool is_named(const OutputType& output, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return output.name.find(word) != std::string::npos; });
}

bool holds_embedding(const Signature& signature) {
  constexpr std::int64_t shortest = 64, longest = 4096;
  const OutputType& first = signature.outputs.front();
  const std::size_t rank = first.shape.size();
  if (first.softmax || rank < 2 || rank > 3 || !is_float(first.dtype)) return false;
  const std::int64_t length = first.shape.back();
  if (length < shortest || length > longest) return false;
  return signature.tokens || is_named(first, {"embed", "hidden_state", "pooler", "feature"});
}

bool holds_steps(const Signature& signature) {
  const OutputType& first = signature.outputs.front();
  const Shape& shape = first.shape;
  return first.softmax && shape.size() == 3 && (shape[0] == 1 || shape[1] == 1) &&
         shape[0] * shape[1] > 1 && shape[2] > 2 && !signature.image.empty();
}

// The output that has a score for each token of the vocabulary at every position: as many as the
// table of tokens has rows or, where that is not known, called logits.
std::optional<LanguagePlan> language_plan(const Signature& signature) {
  if (!signature.token_ids) return std::nullopt;
  const TokenSignature& ids = *signature.token_ids;
  for (std::size_t o = 0; o < signature.outputs.size(); ++o) {
    const OutputType& output = signature.outputs[o];
    const Shape& shape = output.shape;
    if (!is_float(output.dtype) || shape.size() != 3 || ids.shape.size() != 2) continue;
    if (shape[0] != ids.shape[0] || shape[1] != ids.shape[1]) continue;
    if (ids.vocabulary >= 0 ? shape[2] == ids.vocabulary : is_named(output, {"logits"}))
      return LanguagePlan{o, ids.ids, ids.mask};
  }
  return std::nullopt;
}

// What the model is, as far as the signature tells. decoder: receives that of a detector.
Task task_of(const Signature& signature, Decoder& decoder) {
  if (signature.outputs.empty()) return Task::unknown;
  if (auto found = fitting_decoder(signature); found && !signature.image.empty()) {
    decoder = *std::move(found);
    return Task::boxes;
  }
  if (holds_steps(signature)) return Task::strings;
  if (language_plan(signature)) return Task::language;
  return holds_embedding(signature) ? Task::embeddings : Task::unknown;
}

struct Choice {
  std::vector<Metric> metrics;
  std::string reason;
};

std::vector<Metric> suited_to(bool SuitedOutputs::*kind) {
  std::vector<Metric> metrics;
  for (const MetricDef& def : all_metrics())
    if (def.suits.*kind) metrics.push_back(def.metric);
  return metrics;
}

Choice by_outputs(const Signature& signature) {
  if (signature.outputs.empty()) return {{}, "the model has no outputs"};
  const OutputType& first = signature.outputs.front();
  const std::string output = "output " + to_string(first);
  if (!suppressed_roles(signature, false).empty())
    return {suited_to(&SuitedOutputs::boxes),
            "the graph suppresses boxes itself: the lengths of its outputs depend on the image"};
  if (const auto language = language_plan(signature))
    return {suited_to(&SuitedOutputs::tokens),
            fmt::format("output {} scores a vocabulary at every token of input '{}'",
                        to_string(signature.outputs[language->output]), signature.token_ids->name)};
  if (holds_embedding(signature))
    return {suited_to(&SuitedOutputs::others), output + " looks like an embedding"};
  if (holds_scores(first.shape))
    return {suited_to(&SuitedOutputs::scores), output + " holds scores of classes"};
  if (holds_image(first.shape))
    return {suited_to(&SuitedOutputs::images), output + " has the shape of an image"};
  return {suited_to(&SuitedOutputs::others),
          output + " holds neither scores of classes nor an image"};
}

void require_comparable(const MetricRequest& request, const MetricDef& def) {
  if (def.labels && !request.labels)
    throw Error(Code::usage, fmt::format("`metric {}` needs labels", def.name),
                "Give `labels FILE.csv`.");
  if (!def.labels && !def.alone && !request.reference)
    throw Error(Code::usage,
                fmt::format("`metric` {} needs a float model to compare with", def.name),
                "Give `reference FP32.onnx`.");
}

CtcPlan plan_ctc(const MetricRequest& request, const Signature& signature) {
  const Shape shape = signature.outputs.empty() ? Shape{} : signature.outputs.front().shape;
  const std::int64_t classes = shape.size() == 3 ? shape[2] : 0;
  if (classes < 2)
    throw Error(Code::unsupported,
                fmt::format("`metric ctc` reads scores of classes [N,T,C] or [T,1,C] from the "
                            "first output; the model gives {}",
                            to_string(signature)),
                "Compare by another `metric`.");
  const std::int64_t blank = request.blank < 0 ? request.blank + classes : request.blank;
  if (blank < 0 || blank >= classes)
    throw Error(Code::usage,
                fmt::format("`ctc-blank` {}: output {} has {} classes", request.blank,
                            to_string(signature.outputs.front()), classes),
                "Give the index of the class that stands for the blank; -1 is the last.");
  return {shape[0] != 1 && shape[1] == 1, blank};
}

// Settings of what is not read off the outputs would be ignored.
void require_used(const MetricPlan& plan, const MetricRequest& request) {
  const auto refuse = [&](std::string_view settings, std::string_view what, Metric metric) {
    std::vector<std::string_view> names;
    for (const Metric each : plan.metrics) names.push_back(name_of(each));
    throw Error(Code::usage,
                fmt::format("{}: the outputs are not read as {}, but compared by {}", settings,
                            what, fmt::join(names, ", ")),
                fmt::format("Give `metric {}`, too, or leave it out.", name_of(metric)));
  };
  if (!plan.reads_boxes() && (request.detect != DetectOptions{} || request.decoder != any_decoder))
    refuse("`decoder`, `score-threshold` or `nms-iou`", "boxes", Metric::boxes);
  if (!plan.reads_strings() && request.blank != 0) refuse("`ctc-blank`", "strings", Metric::ctc);
}

LanguagePlan plan_language(const MetricPlan& plan) {
  if (const auto language = language_plan(plan.signature)) return *language;
  const auto metric =
      std::ranges::find_if(plan.metrics, [](Metric m) { return def_of(m).suits.tokens; });
  throw Error(
      Code::unsupported,
      fmt::format("`metric {}` reads scores of a vocabulary at every token [N,T,V] for token "
                  "ids [N,T]; the model gives {}",
                  name_of(*metric), to_string(plan.signature)),
      "Compare by another `metric`.");
}

// How to measure what the plan does not.
std::string advice_of(const MetricPlan& plan, const MetricRequest& request) {
  if (!request.metrics.empty() || !request.reference) return {};
  switch (plan.task) {
    case Task::boxes:
      return plan.has(Metric::boxes) ? ""
                                     : fmt::format("looks like a detector ({}): add `metric boxes`",
                                                   plan.decoder.def->name);
    case Task::strings:
      return plan.has(Metric::ctc) ? "" : "looks like a text recognizer: add `metric ctc`";
    case Task::embeddings:
      return std::ranges::count(request.gated, Metric::cosine) > 0
                 ? ""
                 : "looks like an embedding: its gate is `min-cosine`";
    case Task::language:  // by itself
    case Task::unknown:
      break;
  }
  return {};
}

void add_new(std::vector<Metric>& metrics, Metric metric) {
  if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) metrics.push_back(metric);
}

}  // namespace

std::string_view name_of(Metric metric) { return def_of(metric).name; }

Metric parse_metric(std::string_view name) {
  std::vector<std::string_view> names;
  for (const MetricDef& def : all_metrics()) {
    if (def.name == name) return def.metric;
    names.push_back(def.name);
  }
  throw Error(Code::usage, fmt::format("`metric` {}: no such metric", name),
              fmt::format("Give one of {}.", fmt::join(names, ", ")));
}

bool MetricPlan::has(Metric metric) const {
  return std::find(metrics.begin(), metrics.end(), metric) != metrics.end();
}

bool MetricPlan::compares_values() const {
  return std::ranges::any_of(metrics, [](Metric metric) { return def_of(metric).of_outputs(); });
}

MetricPlan plan_metrics(const MetricRequest& request, const Signature& signature) {
  MetricPlan plan;
  plan.signature = signature;
  plan.detect = request.detect;
  plan.metrics.clear();
  for (const Metric metric : request.metrics) {
    require_comparable(request, def_of(metric));
    add_new(plan.metrics, metric);
  }
  plan.reason = "asked for";
  if (plan.metrics.empty()) {
    Choice choice = by_outputs(signature);
    plan.reason = std::move(choice.reason);
    for (const MetricDef& def : all_metrics())
      if (def.labels && request.labels) plan.metrics.push_back(def.metric);
    if (request.reference)
      plan.metrics.insert(plan.metrics.end(), choice.metrics.begin(), choice.metrics.end());
  }
  for (const Metric metric : request.gated) {
    if (!plan.has(metric)) plan.reason += fmt::format("; a gate needs {}", name_of(metric));
    add_new(plan.metrics, metric);
  }
  std::sort(plan.metrics.begin(), plan.metrics.end());
  plan.task = task_of(signature, plan.decoder);
  if (plan.has(Metric::boxes)) plan.decoder = choose_decoder(request.decoder, signature);
  if (plan.reads_tokens()) plan.language = plan_language(plan);
  if (plan.reads_strings()) plan.ctc = plan_ctc(request, signature);
  require_used(plan, request);
  plan.advice = advice_of(plan, request);
  return plan;
}

}  // namespace intaglio
