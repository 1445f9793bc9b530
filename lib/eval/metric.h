// By what a model is compared with its reference, and why by that. What each metric is stands in
// metric_def.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/decoders.h"

namespace intaglio {

enum class Metric {
  topk,       // top-1 and top-5 on labels
  agreement,  // samples that keep their top class
  sqnr,       // of every output
  cosine,     // of every output
  psnr,       // of every output
  boxes,      // F1 of detections
  ctc,        // strings of a text recognizer
};

std::string_view name_of(Metric metric);
Metric parse_metric(std::string_view name);  // Code::usage when there is none of this name

// What the caller asks for.
struct MetricRequest {
  std::vector<Metric> metrics = {};  // empty: those that suit the outputs
  std::vector<Metric> gated = {};    // gates need these too
  bool labels = false, reference = true;
  std::string decoder{any_decoder};  // see choose_decoder
  DetectOptions detect = {};
  std::int64_t blank = 0;  // class of CTC's blank; -1: the last one
};

// Which axes of the output that is read as strings are what.
struct CtcPlan {
  bool steps_first = false;  // [T,1,C] instead of [N,T,C]
  std::int64_t blank = 0;
};

struct MetricPlan {
  std::vector<Metric> metrics = {Metric::topk, Metric::agreement, Metric::sqnr, Metric::cosine};
  std::string reason = "a classifier is assumed";
  Signature signature;  // of the reference, or of the only model; what names in messages come from
  DetectOptions detect;
  Decoder decoder;  // with Metric::boxes
  CtcPlan ctc;      // with Metric::ctc

  bool has(Metric metric) const;
  bool compares_values() const;  // some metric is of outputs
};

// Asked for nothing, it goes by the first output: scores of one sample, [N,C], give agreement, SQNR
// and cosine; an image, [N,C,H,W] of 1, 3 or 4 channels, SQNR, cosine and PSNR; anything else SQNR
// and cosine; and a graph that suppresses boxes itself, whose outputs have no fixed length, boxes.
// With labels, topk comes first. Throws Code::usage for a metric without what it compares with
// (labels, a reference), and Code::unsupported, naming shapes, for outputs that cannot be read as
// boxes or as strings.
MetricPlan plan_metrics(const MetricRequest& request, const Signature& signature);

}  // namespace intaglio
