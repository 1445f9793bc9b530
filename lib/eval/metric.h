// By what a model is compared with its reference, and why by that. What each metric is stands in
// metric_def.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/eval/decoders.h"
#include "lib/eval/tokens.h"

namespace intaglio {

enum class Metric {
  topk,        // top-1 and top-5 on labels
  agreement,   // samples that keep their top class
  sqnr,        // of every output
  cosine,      // of every output
  psnr,        // of every output
  boxes,       // F1 of detections
  ctc,         // strings of a text recognizer
  perplexity,  // of a language model's next token
  kl,          // divergence of its probabilities
  tokens,      // positions that keep their most likely token
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

// What a model is, as far as shapes and the last operators tell.
enum class Task { unknown, boxes, strings, language, embeddings };

struct MetricPlan {
  std::vector<Metric> metrics = {Metric::topk, Metric::agreement, Metric::sqnr, Metric::cosine};
  std::string reason = "a classifier is assumed";
  Signature signature;  // of the reference, or of the only model; what names in messages come from
  DetectOptions detect;
  Decoder decoder;  // with Metric::boxes, and of detectors that are recognized
  CtcPlan ctc;      // with Metric::ctc, and of recognizers
  std::optional<LanguagePlan> language = {};  // with a metric of tokens
  Task task = Task::unknown;
  // The number and the name of the input whose zeros mask tokens (token_mask.h); empty: there is
  // none.
  std::optional<std::size_t> mask = {};
  std::string mask_name = {};
  std::string advice = {};  // the metric that would suit the task; empty: it is one of these

  // Whether answers hold them: they are measured, or at least can be read.
  bool reads_boxes() const { return decoder.def != nullptr; }
  bool reads_tokens() const {
    return has(Metric::perplexity) || has(Metric::kl) || has(Metric::tokens);
  }
  bool reads_strings() const { return has(Metric::ctc) || task == Task::strings; }

  bool has(Metric metric) const;
  bool compares_values() const;  // some metric is of outputs
};

// Asked for nothing, it goes by the first output: scores of one sample, [N,C], give agreement, SQNR
// and cosine; scores of a vocabulary at every token, [N,T,V], perplexity, KL and tokens; an image, [N,C,H,W] of 1, 3 or 4 channels, SQNR, cosine and PSNR; anything else SQNR
// and cosine; and a graph that suppresses boxes itself, whose outputs have no fixed length, boxes.
// With labels, topk comes first. Throws Code::usage for a metric without what it compares with
// (labels, a reference), and Code::unsupported, naming shapes, for outputs that cannot be read as
// boxes, as strings or as scores of tokens.
//
// Recognized are detectors (a decoder fits), text recognizers ([1,T,C] that ends in a Softmax, of an
// image), language models (an output has as many scores as there are tokens, for each of those that
// are fed) and embeddings (of tokens, 64 to 4096 numbers in a row that end in no Softmax, or an output
// named so): the plan says which metric would suit them. An embedding has no classes to agree on.
MetricPlan plan_metrics(const MetricRequest& request, const Signature& signature);

}  // namespace intaglio
