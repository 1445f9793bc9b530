// Evaluation: a model on labelled samples, beside a reference, or both.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/progress.h"
#include "lib/eval/answer.h"
#include "lib/eval/metrics.h"
#include "lib/eval/sample_answer.h"
#include "lib/eval/share.h"
#include "lib/eval/softmax_rows.h"
#include "lib/exec/executor.h"
#include "lib/exec/samples.h"

namespace intaglio {

struct Accuracy {  // of the labelled samples
  Share top1, top5;
};

struct OutputDeviation {
  std::string name;
  Deviation deviation;
  Extrema reference = {};  // of the reference's values, with Metric::psnr
  SampleCosines cosines = {};
};

struct Evaluation {
  std::size_t samples = 0;              // that could be loaded
  std::optional<Accuracy> accuracy;     // with labels
  std::optional<Accuracy> reference;    // of the reference, with labels
  MetricPlan plan;                      // what was measured beside the outputs, and why that
  std::optional<Share> agreement;       // positions on which both have the same top class
  std::optional<BoxMatches> boxes;      // with Metric::boxes
  std::optional<StringErrors> strings;  // with Metric::ctc
  // Tokens of outputs that hold one for each, and how many of them a mask took out: of agreement and
  // of what is compared by outputs. Both 0: no sample had padding.
  std::size_t all_tokens = 0, padding = 0;
  std::optional<TokenErrors> tokens;  // with a metric of tokens
  // With a reference: by graph output. Empty when shapes differ and no metric of the plan compares
  // values.
  std::vector<OutputDeviation> outputs;
  std::map<std::string, Deviation> values;  // with a reference: by name in the reference
  std::vector<SampleAnswer> answers;        // asked for: of every sample that could be loaded
};

// A model to evaluate.
struct Candidate {
  const Executor* model = nullptr;
  // Values to compare inside the graphs: name in the reference -> name in the model.
  std::map<std::string, std::string> values;
  // Of values that end in a Softmax, by name in the reference: masked elements do not count.
  std::map<std::string, SoftmaxRows> rows = {};
  // Of values whose readers tell nothing apart beyond these ends, by name in the reference: what
  // lies beyond counts as the end.
  std::map<std::string, Extrema> bounds = {};
};

struct EvaluateOptions {
  std::size_t threads = 1;
  bool one_by_one = false;  // threads share the loops of one sample: its values are held once
  bool answers = false;     // keep what the models say of each sample
  Progress progress;
  MetricPlan plan;
};

// Plans by what the graph declares, and where that leaves lengths open by a run of the first sample
// that loads.
MetricPlan plan_metrics(const MetricRequest& request, const Executor& model,
                        const Samples& samples);

// Feeds for a model that takes other floating types than those given: converted.
std::vector<Tensor> fitted_feeds(const Executor& model, const std::vector<Tensor>& feeds);

// Evaluates all candidates in one pass: a sample is loaded once and the reference runs on it once.
// Classes are read off the first output of the graph, position by position (positions.h).
// Results do not depend on the number of threads. Memory: the compared values of one sample per
// thread, or of one. Throws Code::data when the outputs of the graphs do not match, or no sample
// could be loaded, and what detect() and require_probabilities() throw.
std::vector<Evaluation> evaluate(std::span<const Candidate> candidates, const Executor* reference,
                                 const Samples& samples, const EvaluateOptions& options);

// Of a single model, outputs alone.
Evaluation evaluate(const Executor& model, const Executor* reference, const Samples& samples,
                    const EvaluateOptions& options);

}  // namespace intaglio
