#include "apps/pipeline/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/graph/op_traits.h"
#include "lib/passes/qdq/fuse_qdq.h"

namespace intaglio {
namespace {

bool passes_on(const Node& node) {
  const OpTraits& traits = traits_of(node);
  return is_conversion(node) || node.is("Cast") || traits.relabels || traits.moves;
}

bool is_distribution(const std::vector<float>& scores) {
  double sum = 0;
  for (const float s : scores) {
    if (!(s >= 0 && s <= 1)) return false;
    sum += s;
  }
  return std::abs(sum - 1) < 1e-2;
}

}  // namespace

Scores scores_of(const Value& output) {
  const Node* maker = output.producer();
  while (maker != nullptr && passes_on(*maker) && maker->input(0) != nullptr)
    maker = maker->input(0)->producer();
  if (maker == nullptr) return Scores::logits;
  const std::string& op = maker->op();
  if (op == "LogSoftmax") return Scores::logarithms;
  const bool squashes = op == "Softmax" || op == "QLinearSoftmax" || op == "Sigmoid" ||
                        op == "QLinearSigmoid" || op == "HardSigmoid";
  return squashes ? Scores::probabilities : Scores::logits;
}

std::optional<std::string> no_scores(const Tensor& result) {
  const auto longer =
      std::ranges::count_if(result.shape(), [](std::int64_t length) { return length != 1; });
  if (longer == 1 || result.size() == 1) return std::nullopt;
  return fmt::format(
      "{} holds no scores of one sample's classes: more than one axis is longer than 1",
      to_string(result.shape()));
}

std::vector<float> probabilities(std::vector<float> scores, Scores kind) {
  if (kind == Scores::probabilities || scores.empty()) return scores;
  if (kind == Scores::logits && is_distribution(scores)) return scores;
  if (kind == Scores::logarithms) {
    for (float& s : scores) s = std::exp(s);
    return scores;
  }
  const float top = *std::ranges::max_element(scores);
  double total = 0;
  for (const float s : scores) total += std::exp(static_cast<double>(s) - top);
  for (float& s : scores) s = static_cast<float>(std::exp(static_cast<double>(s) - top) / total);
  return scores;
}

}  // namespace intaglio
