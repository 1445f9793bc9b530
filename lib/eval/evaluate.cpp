#include "lib/eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <unordered_map>

#include "lib/base/parallel.h"

namespace intaglio {
namespace {

constexpr std::size_t block_size = 64;  // samples whose results are kept before they are summed in order

// What one model said of one sample.
struct SampleResult {
  bool loaded = false, labelled = false, same = false;
  bool top1 = false, top5 = false;
  std::vector<Deviation> outputs;
  std::vector<Deviation> values;  // in the order of Candidate::values
};

std::vector<float> scores_of(const Tensor& output) { return output.to_vector<float>(); }

std::vector<std::size_t> best_classes(const std::vector<Tensor>& outputs) {
  if (outputs.empty() || outputs.front().size() == 0) return {};
  return top_k(scores_of(outputs.front()), 5);
}

void classify(const std::vector<std::size_t>& best, std::optional<std::int64_t> label, SampleResult& result) {
  if (best.empty() || !label) return;
  const auto is = [&](std::size_t c) { return static_cast<std::int64_t>(c) == *label; };
  result.labelled = true;
  result.top1 = is(best.front());
  result.top5 = std::any_of(best.begin(), best.end(), is);
}

// The values of the reference that somebody compares, kept for the length of one sample.
using Kept = std::unordered_map<std::string, Tensor>;

// Runs one candidate, and adds up its results in the order of the samples.
class Contestant {
 public:
  explicit Contestant(const Candidate& candidate) : candidate_(candidate) {
    for (const auto& [name, twin] : candidate.values) {
      index_[twin] = names_.size();
      names_.push_back(name);
    }
  }

  SampleResult measure(const std::vector<Tensor>& feeds, const std::vector<Tensor>* expected,
                       const std::vector<std::size_t>& reference_best, const Kept& kept,
                       std::optional<std::int64_t> label) const {
    SampleResult result;
    result.loaded = true;
    result.values.resize(names_.size());
    const auto actual = candidate_.model->run(feeds, [&](const Value& value, const Tensor& tensor) {
      const auto it = index_.find(value.name());
      if (it == index_.end()) return;
      if (const auto twin = kept.find(names_[it->second]); twin != kept.end())
        compare(twin->second, tensor, result.values[it->second]);
    });
    if (expected != nullptr) compare_outputs(*expected, actual, result);
    const auto best = best_classes(actual);
    result.same = !best.empty() && !reference_best.empty() && best.front() == reference_best.front();
    classify(best, label, result);
    return result;
  }

  void add(const SampleResult& r) {
    if (!r.loaded) return;
    ++loaded_, labelled_ += r.labelled, same_ += r.same, top1_ += r.top1, top5_ += r.top5;
    outputs_.resize(std::max(outputs_.size(), r.outputs.size()));
    for (std::size_t o = 0; o < r.outputs.size(); ++o) outputs_[o].merge(r.outputs[o]);
    values_.resize(std::max(values_.size(), r.values.size()));
    for (std::size_t v = 0; v < r.values.size(); ++v) values_[v].merge(r.values[v]);
  }

  std::optional<Accuracy> accuracy() const {
    if (labelled_ == 0) return std::nullopt;
    return Accuracy{percent(top1_, labelled_), percent(top5_, labelled_)};
  }

  Evaluation finish(bool compared) const {
    if (loaded_ == 0) throw Error(Code::data, "no sample could be evaluated", "Check --data and --preprocess.");
    Evaluation e;
    e.samples = loaded_;
    e.accuracy = accuracy();
    if (!compared) return e;
    e.agreement = percent(same_, loaded_);
    for (std::size_t o = 0; o < outputs_.size(); ++o)
      e.outputs.push_back({candidate_.model->graph().outputs()[o]->name(), outputs_[o]});
    for (std::size_t v = 0; v < values_.size(); ++v)
      if (values_[v].count > 0) e.values[names_[v]] = values_[v];
    return e;
  }

 private:
  static double percent(std::size_t part, std::size_t whole) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  }

  // In one layout: the order of values does not matter, but it has to be the same.
  static void compare(const Tensor& x, const Tensor& y, Deviation& deviation) {
    if (x.layout() == y.layout()) return deviation.add(x.data<float>(), y.data<float>());
    deviation.add(to_row_major(x).data<float>(), to_row_major(y).data<float>());
  }

  void compare_outputs(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual,
                       SampleResult& result) const {
    constexpr const char* remedy = "Give the float model that this one was made from.";
    if (expected.size() != actual.size())
      throw Error(Code::data,
                  fmt::format("the reference has {} outputs, the model has {}", expected.size(), actual.size()), remedy);
    result.outputs.resize(actual.size());
    for (std::size_t o = 0; o < actual.size(); ++o) {
      if (expected[o].shape() != actual[o].shape())
        throw Error(Code::data,
                    fmt::format("output '{}' has shape {}, the reference's has {}",
                                candidate_.model->graph().outputs()[o]->name(), to_string(actual[o].shape()),
                                to_string(expected[o].shape())),
                    remedy);
      result.outputs[o].add(scores_of(expected[o]), scores_of(actual[o]));
    }
  }

  Candidate candidate_;
  std::vector<std::string> names_;                        // in the reference
  std::unordered_map<std::string, std::size_t> index_;  // by name in the model
  std::size_t loaded_ = 0, labelled_ = 0, same_ = 0, top1_ = 0, top5_ = 0;
  std::vector<Deviation> outputs_, values_;
};

class Evaluator {
 public:
  Evaluator(std::span<const Candidate> candidates, const Executor* reference, const Samples& samples,
            const EvaluateOptions& options)
      : contestants_(candidates.begin(), candidates.end()), reference_(reference), samples_(samples), options_(options) {
    for (const Candidate& candidate : candidates)
      for (const auto& [name, twin] : candidate.values) wanted_.insert(name);
  }

  std::vector<Evaluation> run() {
    for (std::size_t begin = 0; begin < samples_.count; begin += block_size) {
      const std::size_t count = std::min(block_size, samples_.count - begin);
      std::vector<Row> block(count);
      std::atomic<std::size_t> done{begin};
      parallel_for(count, options_.threads, [&](std::size_t worker, std::size_t i) {
        block[i] = measure(begin + i);
        const std::size_t so_far = ++done;
        if (worker == 0 && options_.progress) options_.progress(options_.phase, so_far, samples_.count);
      });
      for (const Row& row : block) add(row);
    }
    if (options_.progress) options_.progress(options_.phase, samples_.count, samples_.count);
    std::vector<Evaluation> evaluations;
    for (const Contestant& contestant : contestants_) {
      evaluations.push_back(contestant.finish(reference_ != nullptr));
      evaluations.back().reference = reference_accuracy_.accuracy();
    }
    return evaluations;
  }

 private:
  struct Row {
    SampleResult reference;
    std::vector<SampleResult> candidates;
  };

  Row measure(std::size_t i) const {
    Row row;
    const auto feeds = samples_.load(i);
    if (!feeds) return row;
    const auto label = samples_.label ? samples_.label(i) : std::nullopt;
    std::vector<Tensor> expected;
    std::vector<std::size_t> reference_best;
    Kept kept;
    if (reference_ != nullptr) {
      expected = reference_->run(*feeds, [&](const Value& value, const Tensor& tensor) {
        if (wanted_.contains(value.name())) kept[value.name()] = tensor;
      });
      reference_best = best_classes(expected);
      row.reference.loaded = true;
      classify(reference_best, label, row.reference);
    }
    for (const Contestant& contestant : contestants_)
      row.candidates.push_back(
          contestant.measure(*feeds, reference_ != nullptr ? &expected : nullptr, reference_best, kept, label));
    return row;
  }

  void add(const Row& row) {
    reference_accuracy_.add(row.reference);
    for (std::size_t c = 0; c < row.candidates.size(); ++c) contestants_[c].add(row.candidates[c]);
  }

  std::vector<Contestant> contestants_;
  Contestant reference_accuracy_{Candidate{}};
  const Executor* reference_;
  const Samples& samples_;
  const EvaluateOptions& options_;
  std::set<std::string, std::less<>> wanted_;
};

}  // namespace

Samples spread(Samples samples, std::size_t count) {
  const std::size_t of = samples.count;
  if (count >= of) return samples;
  const auto at = [of, count](std::size_t i) { return (2 * i + 1) * of / (2 * count); };
  Samples some{count, [load = std::move(samples.load), at](std::size_t i) { return load(at(i)); }, {}};
  if (samples.label)
    some.label = [label = std::move(samples.label), at](std::size_t i) { return label(at(i)); };
  return some;
}

std::vector<Evaluation> evaluate(std::span<const Candidate> candidates, const Executor* reference,
                                 const Samples& samples, const EvaluateOptions& options) {
  return Evaluator(candidates, reference, samples, options).run();
}

Evaluation evaluate(const Executor& model, const Executor* reference, const Samples& samples,
                    const EvaluateOptions& options) {
  const Candidate candidate{&model, {}};
  return evaluate(std::span(&candidate, 1), reference, samples, options).front();
}

}  // namespace intaglio
