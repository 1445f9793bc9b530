#include "lib/eval/answer.h"

#include <cmath>

#include "lib/eval/metrics.h"
#include "lib/eval/positions.h"
#include "lib/exec/arguments.h"

namespace intaglio {
namespace {

constexpr std::size_t best_classes = 5;

// The scores of the first position.
std::vector<float> first_scores(const Tensor& output) {
  const std::vector<float> values = output.to_vector<float>();
  const AxisView view(output.rank() == 0 ? Shape{1} : output.shape(),
                      static_cast<std::int64_t>(class_axis(output.shape())));
  std::vector<float> scores;
  for (std::int64_t c = 0; c < view.length; ++c)
    scores.push_back(values[static_cast<std::size_t>(c * view.inner)]);
  return scores;
}

// Whether they are probabilities of at least four classes, the best of which has less than twice its
// even share.
bool is_flat(std::span<const float> scores) {
  constexpr double slack = 0.02;  // of a sum of codes
  double sum = 0;
  for (const float s : scores) {
    if (!(s >= 0 && s <= 1)) return false;
    sum += s;
  }
  return scores.size() >= 4 && std::abs(sum - 1) < slack &&
         scores[best_of(scores)] * static_cast<double>(scores.size()) < 2;
}

std::vector<Symbols> read_strings(const CtcPlan& plan, const Tensor& output) {
  const Shape& shape = output.shape();
  const std::vector<float> scores = output.to_vector<float>();
  const auto classes = static_cast<std::size_t>(shape.back());
  const auto lines = static_cast<std::size_t>(plan.steps_first ? 1 : shape.front());
  std::vector<Symbols> strings;
  for (std::size_t i = 0; i < lines; ++i)
    strings.push_back(
        greedy_ctc(std::span(scores).subspan(i * scores.size() / lines, scores.size() / lines),
                   classes, plan.blank));
  return strings;
}

}  // namespace

Answer read_answer(const MetricPlan& plan, std::span<const Tensor> feeds,
                   std::span<const Tensor> outputs) {
  Answer answer;
  if (outputs.empty()) return answer;
  if (plan.has(Metric::topk) || plan.has(Metric::agreement)) {
    answer.classes = best_by_position(outputs.front(), best_classes);
    if (!answer.classes.empty()) {
      const std::vector<float> scores = first_scores(outputs.front());
      for (const std::size_t c : answer.classes.front()) answer.scores.push_back(scores[c]);
      answer.flat = is_flat(scores);
    }
  }
  if (plan.reads_boxes() && (plan.has(Metric::boxes) || holds_probabilities(plan.decoder, outputs)))
    answer.detections = detect(plan.decoder, plan.detect, feeds, outputs);
  if (plan.reads_strings()) answer.strings = read_strings(plan.ctc, outputs.front());
  return answer;
}

}  // namespace intaglio
