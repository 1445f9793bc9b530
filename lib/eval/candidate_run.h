// One of the models that evaluate() compares with the reference: it measures samples and adds the
// results up.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "lib/eval/evaluate.h"
#include "lib/eval/token_mask.h"

namespace intaglio {

// What one model said of one sample.
struct SampleResult {
  bool loaded = false, labelled = false;
  std::size_t positions = 0, same = 0;      // same: the best class of both models
  std::size_t all_tokens = 0, padding = 0;  // of outputs that hold some
  bool top1 = false, top5 = false;
  bool shapes_differ = false;
  BoxMatches boxes;
  StringErrors strings;
  TokenErrors tokens;
  std::vector<Deviation> outputs;
  std::vector<Extrema> extrema;      // of the reference's outputs
  std::vector<Deviation> values;     // in the order of Candidate::values
  std::optional<SampleAnswer> said;  // where answers are kept

  // Throws Code::data for a label of several positions.
  void classify(const Answer& answer, std::optional<std::int64_t> label);
};

// What the reference says of one sample.
struct Expected {
  std::vector<Tensor> outputs;
  Answer answer;
  std::unordered_map<std::string, Tensor> kept;  // the values that somebody compares
};

class CandidateRun {
 public:
  // answers: they are kept (SampleAnswer).
  CandidateRun(const Candidate& candidate, const MetricPlan& plan, bool answers);

  // Runs the model. expected: null without a reference. May be called from many threads at once.
  SampleResult measure(const std::vector<Tensor>& feeds, const Expected* expected,
                       std::optional<std::int64_t> label) const;

  // To be called in the order of the samples. sample: its number.
  void add(const SampleResult& result, std::size_t sample);

  std::optional<Accuracy> accuracy() const;
  // One sample must have been loaded. compared: there was a reference.
  Evaluation finish(bool compared) const;

 private:
  void compare_outputs(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual,
                       const TokenMask& mask, SampleResult& result) const;
  // masked: the positions of classes are tokens of the mask.
  void compare_answers(const Answer& expected, const Answer& actual, const TokenMask* masked,
                       SampleResult& result) const;

  Candidate candidate_;
  MetricPlan plan_;
  bool keeps_answers_;
  std::vector<std::string> names_;                      // in the reference
  std::unordered_map<std::string, std::size_t> index_;  // by name in the model
  std::size_t loaded_ = 0, labelled_ = 0, positions_ = 0, same_ = 0, top1_ = 0, top5_ = 0;
  std::size_t all_tokens_ = 0, padding_ = 0;
  std::vector<Deviation> outputs_, values_;
  std::vector<Extrema> extrema_;
  std::vector<SampleCosines> cosines_;  // by output
  std::vector<SampleAnswer> answers_;
  BoxMatches boxes_;
  StringErrors strings_;
  TokenErrors tokens_;
  bool shapes_differ_ = false;
};

}  // namespace intaglio
