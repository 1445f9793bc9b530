#include "lib/eval/answer.h"

#include "lib/eval/positions.h"

namespace intaglio {
namespace {

constexpr std::size_t best_classes = 5;

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
  if (plan.has(Metric::topk) || plan.has(Metric::agreement))
    answer.classes = best_by_position(outputs.front(), best_classes);
  if (plan.has(Metric::boxes))
    answer.detections = detect(plan.decoder, plan.detect, feeds, outputs);
  if (plan.has(Metric::ctc)) answer.strings = read_strings(plan.ctc, outputs.front());
  return answer;
}

}  // namespace intaglio
