#include "lib/eval/candidate_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {
namespace {

// In one layout: the order of values does not matter, but it has to be the same.
void compare(const Tensor& x, const Tensor& y, Deviation& deviation) {
  if (x.layout() == y.layout()) return deviation.add(x.data<float>(), y.data<float>());
  deviation.add(to_row_major(x).data<float>(), to_row_major(y).data<float>());
}

Tensor within(Tensor tensor, const Extrema& ends) {
  for (float& v : tensor.mutate<float>()) v = std::min(std::max(v, ends.lo), ends.hi);
  return tensor;
}

// What is kept of a sample: classes of one position alone.
Answer kept(Answer answer) {
  if (answer.classes.size() > 1) answer.classes.clear(), answer.scores.clear();
  return answer;
}

template <typename T>
void merge_all(std::vector<T>& sums, const std::vector<T>& more) {
  sums.resize(std::max(sums.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) sums[i].merge(more[i]);
}

}  // namespace

void SampleResult::classify(const Answer& answer, std::optional<std::int64_t> label) {
  if (answer.classes.empty() || !label) return;
  if (answer.classes.size() > 1)
    throw Error(Code::data,
                fmt::format("`labels`: the scores of a sample have {} positions, a label names one "
                            "class",
                            answer.classes.size()),
                "Leave the labels out, or feed one sample at a time.");
  const auto& best = answer.classes.front();
  const auto is = [&](std::size_t c) { return static_cast<std::int64_t>(c) == *label; };
  labelled = true;
  top1 = is(best.front());
  top5 = std::any_of(best.begin(), best.end(), is);
}

CandidateRun::CandidateRun(const Candidate& candidate, const MetricPlan& plan, bool answers)
    : candidate_(candidate), plan_(plan), keeps_answers_(answers) {
  for (const auto& [name, twin] : candidate.values) {
    index_[twin] = names_.size();
    names_.push_back(name);
  }
}

SampleResult CandidateRun::measure(const std::vector<Tensor>& feeds, const Expected* expected,
                                   std::optional<std::int64_t> label) const {
  SampleResult result;
  result.loaded = true;
  result.values.resize(names_.size());
  const std::vector<Tensor> fitted = fitted_feeds(*candidate_.model, feeds);
  const auto actual = candidate_.model->run(fitted, [&](const Value& value, const Tensor& made) {
    const auto it = index_.find(value.name());
    if (it == index_.end() || expected == nullptr) return;
    const std::string& name = names_[it->second];
    const auto twin = expected->kept.find(name);
    if (twin == expected->kept.end()) return;
    const Tensor tensor = made.dtype() == DType::f32 ? made : convert(made, DType::f32);
    if (const auto rows = candidate_.rows.find(name); rows != candidate_.rows.end())
      add_unmasked(twin->second, tensor, rows->second, result.values[it->second]);
    else if (const auto ends = candidate_.bounds.find(name); ends != candidate_.bounds.end())
      compare(within(twin->second, ends->second), within(tensor, ends->second),
              result.values[it->second]);
    else
      compare(twin->second, tensor, result.values[it->second]);
  });
  if (plan_.language)
    result.tokens = measure_tokens(*plan_.language, feeds,
                                   expected != nullptr ? &expected->outputs : nullptr, actual);
  const Answer answer = read_answer(plan_, feeds, actual);
  if (plan_.has(Metric::topk)) result.classify(answer, label);
  if (expected != nullptr) {
    const TokenMask mask = plan_.mask ? TokenMask(feeds.at(*plan_.mask)) : TokenMask();
    compare_outputs(expected->outputs, actual, mask, result);
    const bool by_token = !actual.empty() && mask.applies_to(actual.front().shape()) &&
                          answer.classes.size() == mask.tokens();
    compare_answers(expected->answer, answer, by_token ? &mask : nullptr, result);
  }
  if (keeps_answers_) {
    result.said.emplace();
    result.said->label = label;
    if (expected != nullptr) result.said->reference = kept(expected->answer);
    result.said->model = kept(answer);
  }
  return result;
}

void CandidateRun::compare_outputs(const std::vector<Tensor>& expected,
                                   const std::vector<Tensor>& actual, const TokenMask& mask,
                                   SampleResult& result) const {
  constexpr const char* remedy = "Give the float model that this one was made from.";
  if (expected.size() != actual.size())
    throw Error(Code::data,
                fmt::format("the reference has {} outputs, the model has {}", expected.size(),
                            actual.size()),
                remedy);
  for (std::size_t o = 0; o < actual.size(); ++o) {
    if (expected[o].shape() == actual[o].shape()) continue;
    result.shapes_differ = true;
    if (plan_.compares_values())
      throw Error(Code::data,
                  fmt::format("output '{}' has shape {}, the reference's has {}",
                              candidate_.model->graph().outputs()[o]->name(),
                              to_string(actual[o].shape()), to_string(expected[o].shape())),
                  remedy);
  }
  if (result.shapes_differ) return;  // as with boxes that the graphs suppress themselves
  result.outputs.resize(actual.size());
  if (plan_.has(Metric::psnr)) result.extrema.resize(actual.size());
  for (std::size_t o = 0; o < actual.size(); ++o) {
    const Tensor wanted = floats(expected[o]), made = floats(actual[o]);
    std::vector<float> kept, kept_made;
    std::span<const float> x = wanted.data<float>(), y = made.data<float>();
    if (mask.applies_to(actual[o].shape())) {
      kept = mask.real_part(x), kept_made = mask.real_part(y);
      x = kept, y = kept_made;
      result.all_tokens = mask.tokens(), result.padding = mask.masked();
    }
    result.outputs[o].add(x, y);
    if (plan_.has(Metric::psnr)) result.extrema[o].add(x);
  }
}

void CandidateRun::compare_answers(const Answer& expected, const Answer& actual,
                                   const TokenMask* masked, SampleResult& result) const {
  result.positions = std::max(expected.classes.size(), actual.classes.size());
  if (masked != nullptr) result.positions -= masked->masked();
  for (std::size_t i = 0; i < std::min(expected.classes.size(), actual.classes.size()); ++i)
    result.same += (masked == nullptr || masked->is_real(i)) &&
                   actual.classes[i].front() == expected.classes[i].front();
  const auto of = [](const auto& list, std::size_t i) {  // of a smaller batch: nothing
    return i < list.size() ? list[i] : typename std::decay_t<decltype(list)>::value_type{};
  };
  const std::size_t images = std::max(expected.detections.size(), actual.detections.size());
  for (std::size_t i = 0; i < images; ++i)
    result.boxes.merge(
        match(of(expected.detections, i), of(actual.detections, i), plan_.detect.match));
  const std::size_t lines = std::max(expected.strings.size(), actual.strings.size());
  for (std::size_t i = 0; i < lines; ++i)
    result.strings.add(of(expected.strings, i), of(actual.strings, i));
}

void CandidateRun::add(const SampleResult& r, std::size_t sample) {
  if (!r.loaded) return;
  if (r.said) {
    SampleAnswer& answer = answers_.emplace_back(*r.said);
    answer.sample = sample;
    answer.outputs = r.outputs, answer.boxes = r.boxes, answer.strings = r.strings;
    answer.tokens = r.tokens;
    answer.positions = r.positions, answer.same = r.same;
  }
  ++loaded_, labelled_ += r.labelled, top1_ += r.top1, top5_ += r.top5;
  positions_ += r.positions, same_ += r.same;
  all_tokens_ += r.all_tokens, padding_ += r.padding;
  boxes_.merge(r.boxes), strings_.merge(r.strings);
  tokens_.merge(r.tokens);
  shapes_differ_ |= r.shapes_differ;
  merge_all(outputs_, r.outputs);
  cosines_.resize(std::max(cosines_.size(), r.outputs.size()));
  for (std::size_t o = 0; o < r.outputs.size(); ++o) cosines_[o].add(r.outputs[o]);
  merge_all(extrema_, r.extrema);
  merge_all(values_, r.values);
}

std::optional<Accuracy> CandidateRun::accuracy() const {
  if (labelled_ == 0) return std::nullopt;
  return Accuracy{{top1_, labelled_}, {top5_, labelled_}};
}

Evaluation CandidateRun::finish(bool compared) const {
  Evaluation e;
  e.samples = loaded_;
  e.plan = plan_;
  e.accuracy = accuracy();
  e.answers = answers_;
  if (plan_.language) e.tokens = tokens_;
  if (!compared) return e;
  if (plan_.has(Metric::agreement) && positions_ > 0) e.agreement = Share{same_, positions_};
  e.all_tokens = all_tokens_, e.padding = padding_;
  if (plan_.has(Metric::boxes)) e.boxes = boxes_;
  if (plan_.has(Metric::ctc)) e.strings = strings_;
  for (std::size_t o = 0; o < outputs_.size() && !shapes_differ_; ++o) {
    e.outputs.push_back({candidate_.model->graph().outputs()[o]->name(), outputs_[o]});
    e.outputs.back().cosines = cosines_[o];
    if (o < extrema_.size()) e.outputs.back().reference = extrema_[o];
  }
  for (std::size_t v = 0; v < values_.size(); ++v)
    if (values_[v].count > 0) e.values[names_[v]] = values_[v];
  return e;
}

}  // namespace intaglio
