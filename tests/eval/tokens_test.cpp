#include "lib/eval/tokens.h"

#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "lib/eval/evaluate.h"
#include "lib/eval/metric_def.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

constexpr float infinity = std::numeric_limits<float>::infinity();

// Two sequences of three tokens of a vocabulary of 4.
const Tensor ids = Tensor::of<std::int64_t>({2, 3}, {0, 1, 3, 2, 2, 0});
const Shape shape = {2, 3, 4};

TokenErrors measured(const Tensor& model, const Tensor& reference, const Tensor& tokens = ids) {
  const std::vector<Tensor> outputs = {reference};
  return measure_tokens({}, std::span(&tokens, 1), &outputs, std::span(&model, 1));
}

// The same by the formulas, in long double and without a largest score taken out.
struct Plain {
  long double kl = 0, nll = 0;
};
Plain plain(const Tensor& model, const Tensor& reference) {
  const auto q = model.to_vector<long double>(), p = reference.to_vector<long double>();
  Plain sums;
  for (std::size_t at = 0; at < 6; ++at) {
    long double of_p = 0, of_q = 0;
    for (std::size_t v = 0; v < 4; ++v)
      of_p += std::exp(p[4 * at + v]), of_q += std::exp(q[4 * at + v]);
    for (std::size_t v = 0; v < 4; ++v) {
      const long double pv = std::exp(p[4 * at + v]) / of_p, qv = std::exp(q[4 * at + v]) / of_q;
      sums.kl += pv * std::log(pv / qv) / 6;
      if (at % 3 < 2 && ids.data<std::int64_t>()[at + 1] == static_cast<std::int64_t>(v))
        sums.nll -= std::log(qv) / 4;
    }
  }
  return sums;
}

TEST(Tokens, FiguresAreThoseOfTheFormulas) {
  const Tensor reference = random_tensor(shape, 1, -3, 3), model = random_tensor(shape, 2, -3, 3);
  const TokenErrors e = measured(model, reference);
  const Plain expected = plain(model, reference);
  EXPECT_EQ(e.positions, 6u);
  EXPECT_EQ(e.predicted, 4u);
  EXPECT_NEAR(*e.mean_kl(), static_cast<double>(expected.kl), 1e-14);
  EXPECT_NEAR(*e.perplexity(), static_cast<double>(std::exp(expected.nll)), 1e-13);
  EXPECT_NEAR(*e.reference_perplexity(),
              static_cast<double>(std::exp(plain(reference, reference).nll)), 1e-13);
  EXPECT_NEAR(*e.perplexity_rise(), 100 * (*e.perplexity() / *e.reference_perplexity() - 1), 1e-10);
}

TEST(Tokens, EqualScoresAreEqual) {
  const Tensor scores = random_tensor(shape, 3, -50, 50);
  const TokenErrors e = measured(scores, scores);
  EXPECT_EQ(*e.mean_kl(), 0);
  EXPECT_EQ(*e.perplexity_rise(), 0);
  EXPECT_EQ(e.same_tokens()->percent(), 100);
}

TEST(Tokens, LargeScoresDoNotOverflow) {
  std::vector<float> values(24, 0.0F);
  for (std::size_t at = 0; at < 6; ++at) values[4 * at] = 1e30F;
  const Tensor scores = Tensor::of<float>(shape, values);
  EXPECT_EQ(*measured(scores, scores).mean_kl(), 0);
  EXPECT_GT(*measured(scores, scores).perplexity(), 1e30);
}

TEST(Tokens, AMaskLeavesOut) {
  const std::vector<Tensor> feeds = {ids, Tensor::of<std::int64_t>({2, 3}, {1, 1, 0, 0, 1, 1})};
  const Tensor scores = random_tensor(shape, 4);
  const std::vector<Tensor> reference = {random_tensor(shape, 5)};
  const TokenErrors e = measure_tokens({.mask = 1}, feeds, &reference, std::span(&scores, 1));
  EXPECT_EQ(e.positions, 4u);
  EXPECT_EQ(e.predicted, 2u);
}

TEST(Tokens, WhatIsNotFiniteIsNoFigure) {
  Tensor odd = random_tensor(shape, 6);
  odd.mutate<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const Tensor good = random_tensor(shape, 6);
  EXPECT_EQ(*measured(odd, good).mean_kl(), infinity);
  EXPECT_EQ(*measured(odd, good).perplexity(), infinity);
  EXPECT_EQ(measured(odd, good).same, 5u);
  EXPECT_EQ(measured(good, odd).left_out, 1u);
  EXPECT_EQ(measured(good, odd).positions, 5u);
  EXPECT_EQ(*measured(good, odd).mean_kl(), 0);
  Evaluation e;
  e.tokens = measured(odd, good);
  for (const MetricGate& gate : all_gates()) {
    if (!gate.metric->suits.tokens) continue;
    EXPECT_NE(gate.judge(e, {"the gate", 99.0}).front().missed, "") << gate.gate->name;
  }
}

// A token that is ruled out has no part in the sum, and one that the model alone rules out ends it.
TEST(Tokens, TokensThatAreRuledOut) {
  Tensor one = random_tensor(shape, 7), both = random_tensor(shape, 7);
  for (std::size_t at = 0; at < 6; ++at) one.mutate<float>()[4 * at] = -infinity;
  EXPECT_TRUE(std::isfinite(*measured(one, one).mean_kl()));
  EXPECT_TRUE(std::isfinite(*measured(both, one).mean_kl()));
  EXPECT_EQ(*measured(one, both).mean_kl(), infinity);
}

TEST(Tokens, ShapesAndIdsMustFit) {
  const Tensor scores = random_tensor(shape), other = random_tensor({2, 3, 5});
  const std::vector<Tensor> reference = {other};
  EXPECT_THROW(measured(scores, other), Error);
  EXPECT_THROW(measured(random_tensor({2, 1, 4}), random_tensor({2, 1, 4})), Error);
  EXPECT_THROW(measured(scores, scores, Tensor::of<std::int64_t>({2, 3}, {0, 1, 4, 0, 0, 0})),
               Error);
  const TokenErrors single = measured(random_tensor({1, 1, 4}), random_tensor({1, 1, 4}),
                                      Tensor::of<std::int64_t>({1, 1}, {0}));
  EXPECT_EQ(single.positions, 1u);
  EXPECT_FALSE(single.perplexity());
}

// --- Recognition ---

const std::string language_model =
    "(int64[N,T] input_ids, int64[N,T] attention_mask) => (float[N,T,6] logits) { "
    "t = Constant<value = float[6,3] {1,2,3,4,5,6,7,8,9,1,0,1,0,1,0,2,2,1}>() "
    "x = Gather(t, input_ids) w = Transpose(t) logits = MatMul(x, w) }";

std::vector<Tensor> two_feeds() {
  return {Tensor::of<std::int64_t>({1, 4}, {0, 1, 2, 5}),
          Tensor::of<std::int64_t>({1, 4}, {1, 1, 1, 1})};
}

Samples one_sample() {
  Samples samples;
  samples.count = 1;
  samples.load = [](std::size_t) { return std::optional(two_feeds()); };
  return samples;
}

TEST(Tokens, LanguageModelsAreRecognized) {
  const Model model = TextModel().model(language_model);
  const Executor executor(model.graph(), {});
  const MetricPlan plan = plan_metrics({}, executor, one_sample());
  EXPECT_EQ(plan.metrics, (std::vector{Metric::perplexity, Metric::kl, Metric::tokens}));
  EXPECT_EQ(plan.task, Task::language);
  EXPECT_EQ(plan.reason,
            "output 'logits' [1,4,6] scores a vocabulary at every token of input 'input_ids'");
  ASSERT_TRUE(plan.language);
  EXPECT_EQ(plan.language->ids, 0u);
  EXPECT_EQ(plan.language->mask, 1u);
  EvaluateOptions options;
  options.plan = plan;
  options.answers = true;
  const Evaluation e = evaluate(executor, &executor, one_sample(), options);
  EXPECT_EQ(*e.tokens->mean_kl(), 0);
  EXPECT_EQ(e.tokens->predicted, 3u);
  EXPECT_EQ(e.answers.front().tokens.positions, 4u);
  EXPECT_EQ(e.answers.front().wrong(), 0);
}

TEST(Tokens, PerplexityNeedsNoReference) {
  const Model model = TextModel().model(language_model);
  const Executor executor(model.graph(), {});
  MetricRequest request{.metrics = {Metric::perplexity}};
  request.reference = false;
  EvaluateOptions options;
  options.plan = plan_metrics(request, executor, one_sample());
  const Evaluation e = evaluate(executor, nullptr, one_sample(), options);
  EXPECT_TRUE(e.tokens->perplexity());
  EXPECT_FALSE(e.tokens->mean_kl());
  request.metrics = {Metric::kl};
  EXPECT_THROW(plan_metrics(request, executor, one_sample()), Error);
}

// An embedding for each token is none of a vocabulary, a tagger's scores are none either.
TEST(Tokens, OtherOutputsOfTokensAreNotScoresOfAVocabulary) {
  for (const std::string width : {"64", "3"}) {
    const Model model =
        TextModel().model("(int64[N,T] input_ids, float[6," + width + "] t) => (float[N,T," +
                          width + "] logits) { logits = Gather(t, input_ids) }");
    const std::vector<Tensor> feeds = {Tensor::of<std::int64_t>({1, 4}, {0, 1, 2, 5}),
                                       random_tensor({6, std::stoi(width)})};
    const Executor executor(model.graph(), {});
    const Signature signature = signature_of(model.graph(), feeds, executor.run(feeds));
    EXPECT_FALSE(plan_metrics({}, signature).reads_tokens()) << width;
    try {
      plan_metrics({.metrics = {Metric::kl}}, signature);
      ADD_FAILURE() << width;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unsupported);
      EXPECT_NE(std::string(e.what()).find("`metric kl`"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace intaglio
