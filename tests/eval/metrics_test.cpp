#include "lib/eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lib/eval/evaluate.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

TEST(Deviation, KnownValues) {
  Deviation d;
  d.add(std::vector<float>{3, 4}, std::vector<float>{3, 3});
  EXPECT_NEAR(*d.sqnr_db(), 10 * std::log10(25.0), 1e-12);
  EXPECT_NEAR(*d.cosine(), 21 / (5 * std::sqrt(18.0)), 1e-12);
}

TEST(Deviation, EqualHasNoNoiseAndZeroHasNoSignal) {
  Deviation equal;
  equal.add(std::vector<float>{1, 2}, std::vector<float>{1, 2});
  EXPECT_TRUE(equal.exact());
  EXPECT_FALSE(equal.sqnr_db());
  Deviation silent;
  silent.add(std::vector<float>{0, 0}, std::vector<float>{1, 2});
  EXPECT_FALSE(silent.sqnr_db());
  EXPECT_FALSE(silent.cosine());
  EXPECT_FALSE(silent.exact());
}

TEST(Deviation, MergingIsAdding) {
  const std::vector<float> x = {1, 2, 3, 4}, y = {1.5f, 2, 2, 4};
  Deviation whole, left, right;
  whole.add(x, y);
  left.add(std::span(x).first(2), std::span(y).first(2));
  right.add(std::span(x).last(2), std::span(y).last(2));
  left.merge(right);
  EXPECT_EQ(left.dd, whole.dd);
  EXPECT_EQ(left.count, 4u);
}

TEST(SampleCosines, MeanAndWorst) {
  SampleCosines cosines;
  EXPECT_FALSE(cosines.mean());
  for (const float y : {1.0f, 0.0f}) {
    Deviation d;
    d.add(std::vector<float>{1, 0}, std::vector<float>{y, 1 - y});
    cosines.add(d);
  }
  cosines.add(Deviation{});  // has none
  EXPECT_DOUBLE_EQ(*cosines.mean(), 0.5);
  EXPECT_DOUBLE_EQ(*cosines.worst(), 0);
}

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

// As many as fill vectors, with the odd ones among them and behind.
std::vector<float> with_odd(float odd) {
  std::vector<float> values;
  for (int i = 0; i < 19; ++i) values.push_back(i % 9 == 0 ? odd : static_cast<float>(i));
  return values;
}

TEST(Deviation, WhatIsNotFiniteInBothIsLeftOut) {
  for (const float odd : {nan_value, infinite, -infinite}) {
    std::vector<float> y = with_odd(odd);
    y[1] += 0.5f;
    Deviation d, plain;
    d.add(with_odd(odd), y);
    y = with_odd(0);
    y[1] += 0.5f;
    plain.add(with_odd(0), y);
    EXPECT_EQ(d.left_out, 3u) << odd;
    EXPECT_EQ(d.one_sided, 0u) << odd;
    EXPECT_EQ(d.count, 16u) << odd;
    EXPECT_DOUBLE_EQ(*d.sqnr_db(), *plain.sqnr_db()) << odd;
    EXPECT_DOUBLE_EQ(*d.cosine(), *plain.cosine()) << odd;
  }
}

TEST(Deviation, WhatIsFiniteInOneAloneIsNoise) {
  Deviation d;
  d.add(std::vector<float>{3, nan_value, 4, infinite},
        std::vector<float>{3, 2, infinite, -infinite});
  EXPECT_EQ(d.left_out, 0u);
  EXPECT_EQ(d.one_sided, 3u);
  EXPECT_EQ(d.dd, 4 + 16);
  EXPECT_FALSE(d.exact());
  Deviation lost;  // no sum tells
  lost.add(std::vector<float>{1, 0}, std::vector<float>{1, nan_value});
  EXPECT_FALSE(lost.exact());
  EXPECT_EQ(*lost.sqnr_db(), -std::numeric_limits<double>::infinity());
}

TEST(Extrema, AreThoseOfFiniteValues) {
  Extrema e;
  e.add(std::vector<float>{nan_value, -2, infinite, 5, -infinite});
  EXPECT_EQ(e.lo, -2);
  EXPECT_EQ(e.hi, 5);
}

TEST(TopK, LowerIndexWinsTiesAndNaNLoses) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scores = {1, nan, 5, 5, -2};
  EXPECT_EQ(top_k(scores, 3), (std::vector<std::size_t>{2, 3, 0}));
  EXPECT_EQ(top_k(scores, 99).size(), 5u);
}

const TextModel identity("(float[1,3] x) => (float[1,3] y) { y = Identity(x) }");
const TextModel halved("(float[1,3] x) => (float[1,3] y) <float k = {0.5}> { y = Mul(x, k) }");
const TextModel negated("(float[1,3] x) => (float[1,3] y) { y = Neg(x) }");

Samples three_samples() {
  Samples samples;
  samples.count = 3;
  samples.load = [](std::size_t i) -> std::optional<std::vector<Tensor>> {
    if (i == 2) return std::nullopt;  // a bad one
    return std::vector{Tensor::of<float>({1, 3}, {0, float(i), 2})};
  };
  samples.label = [](std::size_t i) { return std::optional<std::int64_t>(i == 0 ? 2 : 1); };
  return samples;
}

TEST(Evaluate, CountsLabelsAgreementAndNoise) {
  const Model a = identity.model(), b = halved.model();
  const Executor reference(a.graph()), model(b.graph());
  const Evaluation e = evaluate(model, &reference, three_samples(), {});
  EXPECT_EQ(e.samples, 2u);
  EXPECT_EQ(e.accuracy->top1.percent(), 50);
  EXPECT_EQ(e.accuracy->top5.percent(), 100);
  EXPECT_EQ(e.reference->top1.percent(), 50);
  EXPECT_EQ(e.agreement->percent(), 100);
  EXPECT_NEAR(*e.outputs.front().deviation.sqnr_db(), 10 * std::log10(4.0), 1e-9);
  EXPECT_NEAR(*e.outputs.front().deviation.cosine(), 1, 1e-12);
}

TEST(Evaluate, DoesNotDependOnThreads) {
  const Model a = identity.model(), b = negated.model();
  const Executor reference(a.graph()), model(b.graph());
  Samples samples;
  samples.count = 200;
  samples.load = [](std::size_t i) {
    return std::optional(std::vector{testing::random_tensor({1, 3}, static_cast<unsigned>(i))});
  };
  EvaluateOptions one, four;
  four.threads = 4;
  const Evaluation x = evaluate(model, &reference, samples, one),
                   y = evaluate(model, &reference, samples, four);
  EXPECT_EQ(x.outputs.front().deviation.dd, y.outputs.front().deviation.dd);
  EXPECT_EQ(x.agreement->part, 0u);
  EXPECT_EQ(x.agreement->percent(), y.agreement->percent());
}

Samples one_sample(Tensor x) {
  Samples samples;
  samples.count = 1;
  samples.load = [x](std::size_t) { return std::optional(std::vector{x}); };
  return samples;
}

// Twenty steps of a batch of one: the second model changes its mind in five of them.
TEST(Evaluate, EveryPositionHasAnAnswer) {
  const TextModel text("(float[20,1,3] x) => (float[20,1,3] y) { y = Identity(x) }");
  const Model a = text.model();
  const Model b = TextModel().model(
      "(float[20,1,3] x) => (float[20,1,3] y) <float[1,1,3] k = {0, 0, 3.5}> { y = Add(x, k) }");
  Tensor x(DType::f32, {20, 1, 3});
  for (int t = 0; t < 20; ++t)
    for (int c = 0; c < 3; ++c)
      x.mutate<float>()[static_cast<std::size_t>(3 * t + c)] =
          static_cast<float>(c == 0 ? (t < 5 ? 1 : 4) : -c);
  const Executor reference(a.graph()), model(b.graph());
  EXPECT_EQ(evaluate(model, &reference, one_sample(x), {}).agreement->percent(), 75);
}

TEST(Evaluate, ALabelNeedsOnePosition) {
  const Model a = TextModel().model("(float[2,3] x) => (float[2,3] y) { y = Identity(x) }");
  const Executor model(a.graph());
  Samples samples = one_sample(testing::random_tensor({2, 3}));
  samples.label = [](std::size_t) { return std::optional<std::int64_t>(1); };
  try {
    evaluate(model, nullptr, samples, {});
    FAIL() << "a label for two answers";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    EXPECT_NE(std::string(e.what()).find("2 positions"), std::string::npos) << e.what();
  }
}

// What a Relu behind a value drops is no noise.
TEST(Evaluate, ValuesAreComparedAsFarAsReadersLook) {
  const TextModel text(
      "(float[1,3] x) => (float[1,3] y) <float lo = {-1}> { v = Identity(x) w = Max(v, lo) y = "
      "Relu(w) }");
  const Model a = text.model(), b = text.model();
  const Executor reference(a.graph()), model(b.graph());
  Candidate candidate{&model, {{"v", "w"}}};
  const Samples samples = one_sample(Tensor::of<float>({1, 3}, {-5, 2, 1}));
  const auto noise = [&] {
    return evaluate(std::span(&candidate, 1), &reference, samples, {}).front().values.at("v").dd;
  };
  EXPECT_EQ(noise(), 16);
  candidate.bounds["v"] = {0, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(noise(), 0);
}

TEST(Evaluate, NoUsableSampleIsAnError) {
  const Model a = identity.model();
  const Executor model(a.graph());
  Samples samples;
  samples.count = 2;
  samples.load = [](std::size_t) { return std::optional<std::vector<Tensor>>(); };
  EXPECT_THROW(evaluate(model, nullptr, samples, {}), Error);
}

}  // namespace
}  // namespace intaglio
