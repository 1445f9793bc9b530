#include "lib/eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lib/eval/evaluate.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

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

TEST(TopK, LowerIndexWinsTiesAndNaNLoses) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scores = {1, nan, 5, 5, -2};
  EXPECT_EQ(top_k(scores, 3), (std::vector<std::size_t>{2, 3, 0}));
  EXPECT_EQ(top_k(scores, 99).size(), 5u);
}

const char* identity =
    "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3] x) => (float[1,3] y) { y = "
    "Identity(x) }";
const char* halved =
    "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3] x) => (float[1,3] y) <float k = "
    "{0.5}> { y = Mul(x, k) }";
const char* negated =
    "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3] x) => (float[1,3] y) { y = Neg(x) }";

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
  const Model a = parse_model(identity), b = parse_model(halved);
  const Executor reference(a.graph()), model(b.graph());
  const Evaluation e = evaluate(model, &reference, three_samples(), {});
  EXPECT_EQ(e.samples, 2u);
  EXPECT_EQ(e.accuracy->top1, 50);
  EXPECT_EQ(e.accuracy->top5, 100);
  EXPECT_EQ(e.reference->top1, 50);
  EXPECT_EQ(*e.agreement, 100);
  EXPECT_NEAR(*e.outputs.front().deviation.sqnr_db(), 10 * std::log10(4.0), 1e-9);
  EXPECT_NEAR(*e.outputs.front().deviation.cosine(), 1, 1e-12);
}

TEST(Evaluate, DoesNotDependOnThreads) {
  const Model a = parse_model(identity), b = parse_model(negated);
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
  EXPECT_EQ(*x.agreement, 0);
  EXPECT_EQ(*x.agreement, *y.agreement);
}

TEST(Evaluate, NoUsableSampleIsAnError) {
  const Model a = parse_model(identity);
  const Executor model(a.graph());
  Samples samples;
  samples.count = 2;
  samples.load = [](std::size_t) { return std::optional<std::vector<Tensor>>(); };
  EXPECT_THROW(evaluate(model, nullptr, samples, {}), Error);
}

}  // namespace
}  // namespace intaglio
