#include "lib/eval/sample_answer.h"

#include <gtest/gtest.h>

#include "lib/eval/evaluate.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

const TextModel identity("(float[1,3] x) => (float[1,3] y) { y = Identity(x) }");
const TextModel without_large(
    "(float[1,3] x) => (float[1,3] y) <float lo = {0}, float hi = {2}> { y = Clip(x, lo, hi) }");

// Scores whose best class is the last one, and for the second sample the first one: beyond 2.
Samples three_samples() {
  Samples samples;
  samples.count = 3;
  samples.load = [](std::size_t i) -> std::optional<std::vector<Tensor>> {
    if (i == 0) return std::nullopt;  // a bad one
    return std::vector{Tensor::of<float>({1, 3}, {i == 1 ? 9.0f : 0.0f, 1, i == 1 ? 4.0f : 2.0f})};
  };
  samples.label = [](std::size_t i) { return std::optional<std::int64_t>(i); };
  return samples;
}

Evaluation evaluated(const TextModel& other, bool answers) {
  const Model a = identity.model(), b = other.model();
  const Executor reference(a.graph()), model(b.graph());
  EvaluateOptions options;
  options.answers = answers;
  return evaluate(model, &reference, three_samples(), options);
}

TEST(SampleAnswer, HoldsWhatBothModelsSay) {
  const Evaluation e = evaluated(without_large, true);
  ASSERT_EQ(e.answers.size(), 2u) << "the bad one gives none";
  const SampleAnswer& first = e.answers.front();
  EXPECT_EQ(first.sample, 1u);
  EXPECT_EQ(first.label, 1);
  EXPECT_EQ(first.reference.classes.front(), (std::vector<std::size_t>{0, 2, 1}));
  EXPECT_EQ(first.reference.scores, (std::vector<float>{9, 4, 1}));
  EXPECT_EQ(first.model.scores, (std::vector<float>{2, 2, 1}));
  EXPECT_GT(first.outputs.front().dd, 0);
  EXPECT_EQ(first.wrong(), 0) << "the first of equals is the best";
  EXPECT_EQ(e.answers.back().sqnr_db(), std::nullopt) << "without noise";
  EXPECT_TRUE(evaluated(without_large, false).answers.empty()) << "nobody asked";
}

TEST(SampleAnswer, WithoutAReferenceTheLabelCounts) {
  const Model a = identity.model();
  const Executor model(a.graph());
  EvaluateOptions options;
  options.answers = true;
  const Evaluation e = evaluate(model, nullptr, three_samples(), options);
  ASSERT_EQ(e.answers.size(), 2u);
  EXPECT_EQ(e.answers.front().wrong(), 1) << "class 0, label 1";
  EXPECT_EQ(e.answers.back().wrong(), 0) << "class 2, label 2";
  EXPECT_TRUE(e.answers.front().reference.classes.empty());
}

TEST(SampleAnswer, WorstFirst) {
  std::vector<SampleAnswer> answers(4);
  const auto noise = [](float by) {
    Deviation d;
    d.add(std::vector<float>{1}, std::vector<float>{1 + by});
    return d;
  };
  answers[0].outputs = {noise(0.1f)};
  answers[1].outputs = {noise(0.1f), noise(0.5f)};
  answers[2].strings.add({1, 2, 3, 4}, {1, 2, 3});
  answers[3].boxes = {.matched = 1, .expected = 2, .found = 2};
  EXPECT_EQ(worst_first(answers), (std::vector<std::size_t>{3, 2, 1, 0}));
  EXPECT_DOUBLE_EQ(answers[3].wrong(), 0.5);
  EXPECT_DOUBLE_EQ(answers[2].wrong(), 0.25);
}

TEST(SampleAnswer, OfManyPositionsNoClassesAreKept) {
  const TextModel pixels("(float[1,5,4,4] x) => (float[1,5,4,4] y) { y = Identity(x) }");
  const Model a = pixels.model();
  const Executor model(a.graph());
  EvaluateOptions options;
  options.answers = true;
  const Evaluation e = evaluate(model, &model, testing::random_samples({1, 5, 4, 4}, 1), options);
  ASSERT_EQ(e.answers.size(), 1u);
  EXPECT_TRUE(e.answers.front().model.classes.empty());
  EXPECT_EQ(e.answers.front().positions, 16u);
}

}  // namespace
}  // namespace intaglio
