#include "lib/eval/answer.h"

#include "lib/eval/positions.h"
#include "lib/exec/arguments.h"

namespace intaglio {
namespace {

constexpr std::size_t best_classes = 5;

// The scores of the first position's best classes.
std::vector<float> scores_of(const std::vector<std::size_t>& classes, const Tensor& output) {
  const std::vector<float> values = output.to_vector<float>();
  const AxisView view(output.rank() == 0 ? Shape{1} : output.shape(),
                      static_cast<std::int64_t>(class_axis(output.shape())));
  std::vector<float> scores;
  for (const std::size_t c : classes)
    scores.push_back(values[c * static_cast<std::size_t>(view.inner)]);
  return scores;
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
    if (!answer.classes.empty()) answer.scores = scores_of(answer.classes.front(), outputs.front());
  }
  if (plan.has(Metric::boxes))
    answer.detections = detect(plan.decoder, plan.detect, feeds, outputs);
  if (plan.has(Metric::ctc)) answer.strings = read_strings(plan.ctc, outputs.front());
  return answer;
}

}  // namespace intaglio
