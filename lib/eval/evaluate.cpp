#include "lib/eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "lib/base/parallel.h"

namespace intaglio {
namespace {

constexpr std::size_t block_size = 64;  // samples whose results are kept before they are summed in order

struct SampleResult {
  bool loaded = false, labelled = false, same = false;
  bool top1 = false, top5 = false, reference_top1 = false, reference_top5 = false;
  std::vector<Deviation> outputs;
  std::vector<Deviation> values;  // in the order of EvaluateOptions::values
};

std::vector<float> scores_of(const Tensor& output) { return output.to_vector<float>(); }

bool contains(const std::vector<std::size_t>& classes, std::int64_t label) {
  return std::any_of(classes.begin(), classes.end(),
                     [&](std::size_t c) { return static_cast<std::int64_t>(c) == label; });
}

class Evaluator {
 public:
  Evaluator(const Executor& model, const Executor* reference, const Samples& samples,
            const EvaluateOptions& options)
      : model_(model), reference_(reference), samples_(samples), options_(options) {
    std::size_t index = 0;
    for (const auto& [name, twin] : options.values) {
      reference_index_[name] = index;
      model_index_[twin] = index++;
    }
  }

  Evaluation run() {
    for (std::size_t begin = 0; begin < samples_.count; begin += block_size) {
      const std::size_t count = std::min(block_size, samples_.count - begin);
      std::vector<SampleResult> block(count);
      std::atomic<std::size_t> done{begin};
      parallel_for(count, options_.threads, [&](std::size_t worker, std::size_t i) {
        block[i] = measure(begin + i);
        const std::size_t so_far = ++done;
        if (worker == 0 && options_.progress) options_.progress(options_.phase, so_far, samples_.count);
      });
      for (const SampleResult& result : block) add(result);
    }
    if (options_.progress) options_.progress(options_.phase, samples_.count, samples_.count);
    return finish();
  }

 private:
  SampleResult measure(std::size_t i) const {
    SampleResult result;
    const auto feeds = samples_.load(i);
    if (!feeds) return result;
    result.loaded = true;
    std::vector<Tensor> kept(options_.values.size());
    std::vector<Tensor> expected;
    if (reference_ != nullptr)
      expected = reference_->run(*feeds, [&](const Value& value, const Tensor& tensor) {
        const auto it = reference_index_.find(value.name());
        if (it != reference_index_.end()) kept[it->second] = tensor;
      });
    result.values.resize(kept.size());
    const auto actual = model_.run(*feeds, [&](const Value& value, const Tensor& tensor) {
      const auto it = model_index_.find(value.name());
      if (it == model_index_.end() || !kept[it->second].defined()) return;
      Tensor& twin = kept[it->second];
      result.values[it->second].add(to_row_major(twin).data<float>(), to_row_major(tensor).data<float>());
      twin = Tensor();
    });
    if (reference_ != nullptr) compare_outputs(expected, actual, result);
    classify(i, expected, actual, result);
    return result;
  }

  void compare_outputs(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual,
                       SampleResult& result) const {
    if (expected.size() != actual.size())
      throw Error(Code::data, fmt::format("the reference has {} outputs, the model has {}", expected.size(),
                                          actual.size()),
                  "Give the float model that this one was made from.");
    result.outputs.resize(actual.size());
    for (std::size_t o = 0; o < actual.size(); ++o) {
      if (expected[o].shape() != actual[o].shape())
        throw Error(Code::data,
                    fmt::format("output '{}' has shape {}, the reference's has {}",
                                model_.graph().outputs()[o]->name(), to_string(actual[o].shape()),
                                to_string(expected[o].shape())),
                    "Give the float model that this one was made from.");
      result.outputs[o].add(scores_of(expected[o]), scores_of(actual[o]));
    }
  }

  void classify(std::size_t i, const std::vector<Tensor>& expected, const std::vector<Tensor>& actual,
                SampleResult& result) const {
    if (actual.empty() || actual.front().size() == 0) return;
    const auto best = top_k(scores_of(actual.front()), 5);
    std::vector<std::size_t> reference_best;
    if (reference_ != nullptr) {
      reference_best = top_k(scores_of(expected.front()), 5);
      result.same = best.front() == reference_best.front();
    }
    const auto label = samples_.label ? samples_.label(i) : std::nullopt;
    if (!label) return;
    result.labelled = true;
    const auto is = [&](std::size_t c) { return static_cast<std::int64_t>(c) == *label; };
    result.top1 = is(best.front());
    result.top5 = contains(best, *label);
    if (reference_ == nullptr) return;
    result.reference_top1 = is(reference_best.front());
    result.reference_top5 = contains(reference_best, *label);
  }

  void add(const SampleResult& r) {
    if (!r.loaded) return;
    ++loaded_, labelled_ += r.labelled, same_ += r.same;
    top1_ += r.top1, top5_ += r.top5;
    reference_top1_ += r.reference_top1, reference_top5_ += r.reference_top5;
    outputs_.resize(std::max(outputs_.size(), r.outputs.size()));
    for (std::size_t o = 0; o < r.outputs.size(); ++o) outputs_[o].merge(r.outputs[o]);
    values_.resize(std::max(values_.size(), r.values.size()));
    for (std::size_t v = 0; v < r.values.size(); ++v) values_[v].merge(r.values[v]);
  }

  Evaluation finish() const {
    if (loaded_ == 0)
      throw Error(Code::data, "no sample could be evaluated", "Check --data and --preprocess.");
    const auto percent = [](std::size_t part, std::size_t whole) {
      return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    Evaluation e;
    e.samples = loaded_;
    if (labelled_ > 0) {
      e.accuracy = Accuracy{percent(top1_, labelled_), percent(top5_, labelled_)};
      if (reference_ != nullptr)
        e.reference = Accuracy{percent(reference_top1_, labelled_), percent(reference_top5_, labelled_)};
    }
    if (reference_ == nullptr) return e;
    e.agreement = percent(same_, loaded_);
    for (std::size_t o = 0; o < outputs_.size(); ++o)
      e.outputs.push_back({model_.graph().outputs()[o]->name(), outputs_[o]});
    for (const auto& [name, index] : reference_index_)
      if (index < values_.size() && values_[index].count > 0) e.values[name] = values_[index];
    return e;
  }

  const Executor& model_;
  const Executor* reference_;
  const Samples& samples_;
  const EvaluateOptions& options_;
  std::unordered_map<std::string, std::size_t> reference_index_, model_index_;
  std::size_t loaded_ = 0, labelled_ = 0, same_ = 0;
  std::size_t top1_ = 0, top5_ = 0, reference_top1_ = 0, reference_top5_ = 0;
  std::vector<Deviation> outputs_, values_;
};

}  // namespace

Evaluation evaluate(const Executor& model, const Executor* reference, const Samples& samples,
                    const EvaluateOptions& options) {
  return Evaluator(model, reference, samples, options).run();
}

}  // namespace intaglio
