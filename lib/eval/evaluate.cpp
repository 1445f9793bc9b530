#include "lib/eval/evaluate.h"

#include <algorithm>
#include <set>

#include "lib/base/parallel.h"
#include "lib/eval/candidate_run.h"
#include "lib/eval/token_mask.h"

namespace intaglio {
namespace {

class Evaluator {
 public:
  Evaluator(std::span<const Candidate> candidates, const Executor* reference,
            const Samples& samples, const EvaluateOptions& options)
      : reference_accuracy_({}, options.plan, false),
        reference_(reference),
        samples_(samples),
        options_(options) {
    for (const Candidate& candidate : candidates)
      contestants_.emplace_back(candidate, options.plan, options.answers);
    for (const Candidate& candidate : candidates)
      for (const auto& [name, twin] : candidate.values) wanted_.insert(name);
  }

  std::vector<Evaluation> run() {
    const std::size_t together = options_.one_by_one ? 1 : samples_.count;
    for (std::size_t begin = 0; begin < samples_.count; begin += together)
      parallel_in_order(
          std::min(together, samples_.count - begin), options_.threads,
          [&](std::size_t i) { return measure(begin + i); },
          [&](std::size_t i, const Row& row) {
            add(row, begin + i);
            if (options_.progress) options_.progress(begin + i + 1, samples_.count);
          });
    if (loaded_ == 0) throw none_loaded(samples_);
    std::vector<Evaluation> evaluations;
    for (const CandidateRun& contestant : contestants_) {
      evaluations.push_back(contestant.finish(reference_ != nullptr));
      evaluations.back().reference = reference_accuracy_.accuracy();
      if (samples_.name)
        for (SampleAnswer& answer : evaluations.back().answers)
          answer.name = samples_.name(answer.sample);
    }
    return evaluations;
  }

 private:
  struct Row {
    SampleResult reference;
    std::vector<SampleResult> candidates;
  };

  Row measure(std::size_t i) const {
    const auto feeds = samples_.load(i);
    if (!feeds) return {};
    return at_sample(samples_, i, [&] { return measure(i, *feeds); });
  }

  Row measure(std::size_t i, const std::vector<Tensor>& feeds) const {
    Row row;
    const auto label = samples_.label ? samples_.label(i) : std::nullopt;
    std::optional<Expected> expected;
    if (reference_ != nullptr) {
      expected = ask_reference(feeds);
      row.reference.loaded = true;
      if (options_.plan.has(Metric::topk)) row.reference.classify(expected->answer, label);
    }
    for (const CandidateRun& contestant : contestants_)
      row.candidates.push_back(contestant.measure(feeds, expected ? &*expected : nullptr, label));
    return row;
  }

  Expected ask_reference(const std::vector<Tensor>& feeds) const {
    Expected expected;
    expected.outputs = reference_->run(fitted_feeds(*reference_, feeds),
                                       [&](const Value& value, const Tensor& tensor) {
                                         if (wanted_.contains(value.name()))
                                           expected.kept[value.name()] = tensor;
                                       });
    if (options_.plan.has(Metric::boxes))
      require_probabilities(options_.plan.decoder, options_.plan.signature, expected.outputs);
    expected.answer = read_answer(options_.plan, feeds, expected.outputs);
    return expected;
  }

  void add(const Row& row, std::size_t sample) {
    loaded_ += !row.candidates.empty();
    reference_accuracy_.add(row.reference, sample);
    for (std::size_t c = 0; c < row.candidates.size(); ++c)
      contestants_[c].add(row.candidates[c], sample);
  }

  std::vector<CandidateRun> contestants_;
  CandidateRun reference_accuracy_;
  const Executor* reference_;
  const Samples& samples_;
  const EvaluateOptions& options_;
  std::set<std::string, std::less<>> wanted_;
  std::size_t loaded_ = 0;
};

}  // namespace

std::vector<Tensor> fitted_feeds(const Executor& model, const std::vector<Tensor>& feeds) {
  const std::vector<Value*> wanted = model.graph().feeds();
  std::vector<Tensor> fitted = feeds;
  for (std::size_t i = 0; i < std::min(fitted.size(), wanted.size()); ++i) {
    const DType type = wanted[i]->dtype();
    if (type != fitted[i].dtype() && is_float(type) && is_float(fitted[i].dtype()))
      fitted[i] = convert(fitted[i], type);
  }
  return fitted;
}

namespace {

MetricPlan with_mask(MetricPlan plan, const Graph& graph) {
  plan.mask = mask_input(graph);
  if (plan.mask) plan.mask_name = graph.feeds()[*plan.mask]->name();
  return plan;
}

}  // namespace

MetricPlan plan_metrics(const MetricRequest& request, const Executor& model,
                        const Samples& samples) {
  const Graph& graph = model.graph();
  if (const auto declared = signature_of(graph))
    return with_mask(plan_metrics(request, *declared), graph);
  for (std::size_t i = 0; i < samples.count; ++i)
    if (const auto feeds = samples.load(i)) {
      const std::vector<Tensor> fitted = fitted_feeds(model, *feeds);
      return with_mask(plan_metrics(request, signature_of(graph, fitted, model.run(fitted))),
                       graph);
    }
  throw none_loaded(samples);
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
