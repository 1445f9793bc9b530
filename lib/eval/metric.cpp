#include "lib/eval/metric.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lib/eval/decoders_lists.h"
#include "lib/eval/positions.h"

namespace intaglio {
namespace {

constexpr std::array names = {"topk", "agreement", "sqnr", "cosine", "psnr", "boxes", "ctc"};
constexpr std::array all = {Metric::topk, Metric::agreement, Metric::sqnr, Metric::cosine,
                            Metric::psnr, Metric::boxes,     Metric::ctc};
constexpr std::int64_t least_side = 8;  // of an image

bool holds_image(const Shape& shape) {
  const auto size = image_size(shape);
  return size && size->height >= least_side && size->width >= least_side;
}

struct Choice {
  std::vector<Metric> metrics;
  std::string reason;
};

Choice by_outputs(const Signature& signature) {
  if (signature.outputs.empty()) return {{}, "the model has no outputs"};
  const OutputType& first = signature.outputs.front();
  const std::string output = "output " + to_string(first);
  if (!suppressed_roles(signature, false).empty())
    return {{Metric::boxes},
            "the graph suppresses boxes itself: the lengths of its outputs depend on the image"};
  if (holds_scores(first.shape))
    return {{Metric::agreement, Metric::sqnr, Metric::cosine}, output + " holds scores of classes"};
  if (holds_image(first.shape))
    return {{Metric::sqnr, Metric::cosine, Metric::psnr}, output + " has the shape of an image"};
  return {{Metric::sqnr, Metric::cosine}, output + " holds neither scores of classes nor an image"};
}

void require_comparable(const MetricRequest& request, Metric metric) {
  if (metric == Metric::topk && !request.labels)
    throw Error(Code::usage, "`metric topk` needs labels", "Give `labels FILE.csv`.");
  if (metric != Metric::topk && !request.reference)
    throw Error(Code::usage,
                fmt::format("`metric` {} needs a float model to compare with", name_of(metric)),
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

void add_new(std::vector<Metric>& metrics, Metric metric) {
  if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) metrics.push_back(metric);
}

}  // namespace

std::string_view name_of(Metric metric) { return names[static_cast<std::size_t>(metric)]; }

std::span<const Metric> all_metrics() { return all; }

Metric parse_metric(std::string_view name) {
  for (const Metric metric : all)
    if (name_of(metric) == name) return metric;
  throw Error(Code::usage, fmt::format("`metric` {}: no such metric", name),
              fmt::format("Give one of {}.", fmt::join(names, ", ")));
}

bool MetricPlan::has(Metric metric) const {
  return std::find(metrics.begin(), metrics.end(), metric) != metrics.end();
}

MetricPlan plan_metrics(const MetricRequest& request, const Signature& signature) {
  MetricPlan plan;
  plan.signature = signature;
  plan.detect = request.detect;
  plan.metrics.clear();
  for (const Metric metric : request.metrics) {
    require_comparable(request, metric);
    add_new(plan.metrics, metric);
  }
  plan.reason = "asked for";
  if (plan.metrics.empty()) {
    Choice choice = by_outputs(signature);
    plan.reason = std::move(choice.reason);
    if (request.labels) plan.metrics.push_back(Metric::topk);
    if (request.reference)
      plan.metrics.insert(plan.metrics.end(), choice.metrics.begin(), choice.metrics.end());
  }
  for (const Metric metric : request.gated) {
    if (!plan.has(metric)) plan.reason += fmt::format("; a gate needs {}", name_of(metric));
    add_new(plan.metrics, metric);
  }
  std::sort(plan.metrics.begin(), plan.metrics.end());
  if (plan.has(Metric::boxes)) plan.decoder = choose_decoder(request.decoder, signature);
  if (plan.has(Metric::ctc)) plan.ctc = plan_ctc(request, signature);
  return plan;
}

}  // namespace intaglio
