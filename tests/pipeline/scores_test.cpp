#include "apps/pipeline/scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/support/support.h"

namespace intaglio {
namespace {

Scores scores_of(const char* nodes) {
  const Model model = testing::random_model(
      std::string("(float[1,4] x, float s) => (float[1,4] y) { ") + nodes + " }");
  return intaglio::scores_of(*model.graph().outputs().front());
}

TEST(ScoresOf, WhatMakesTheOutputSays) {
  EXPECT_EQ(scores_of("y = Relu(x)"), Scores::logits);
  EXPECT_EQ(scores_of("y = Softmax<axis = 1>(x)"), Scores::probabilities);
  EXPECT_EQ(scores_of("y = Sigmoid(x)"), Scores::probabilities);
  EXPECT_EQ(scores_of("y = LogSoftmax<axis = 1>(x)"), Scores::logarithms);
  EXPECT_EQ(scores_of("a = Softmax<axis = 1>(x) b = QuantizeLinear(a, s) "
                      "y = DequantizeLinear(b, s)"),
            Scores::probabilities);
  EXPECT_EQ(scores_of("a = Softmax<axis = 1>(x) b = Flatten(a) y = Identity(b)"),
            Scores::probabilities);
  EXPECT_EQ(scores_of("a = Softmax<axis = 1>(x) y = Add(a, x)"), Scores::logits);
}

// u8 codes with a scale of 1/256 do not sum to 1.
TEST(Probabilities, AreTakenOnce) {
  const std::vector<float> coded = {0.61F, 0.2F, 0.17F};
  EXPECT_EQ(probabilities(coded, Scores::probabilities), coded);
  EXPECT_EQ(probabilities({0.5F, 0.25F, 0.25F}, Scores::logits),
            (std::vector<float>{0.5F, 0.25F, 0.25F}));
  const auto made = probabilities({1, 2, 3}, Scores::logits);
  EXPECT_NEAR(std::accumulate(made.begin(), made.end(), 0.0), 1, 1e-6);
  EXPECT_NEAR(probabilities({std::log(0.25F), 0}, Scores::logarithms)[0], 0.25, 1e-6);
}

TEST(NoScores, OneAxisHoldsTheClasses) {
  const auto zeros = [](Shape shape) { return testing::random_tensor(std::move(shape)); };
  EXPECT_FALSE(no_scores(zeros({1, 1000})));
  EXPECT_FALSE(no_scores(zeros({1, 1000, 1, 1})));
  EXPECT_FALSE(no_scores(zeros({10})));
  EXPECT_TRUE(no_scores(zeros({1, 140, 66})));
  EXPECT_TRUE(no_scores(zeros({2, 10})));
}

}  // namespace
}  // namespace intaglio
