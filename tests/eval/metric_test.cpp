#include "lib/eval/metric.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lib/base/error.h"
#include "lib/eval/evaluate.h"
#include "lib/eval/metric_def.h"
#include "lib/eval/token_mask.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Signature gives(Shape shape) {
  return {{1, 3, 64, 64}, {{"y", DType::f32, std::move(shape)}}, false};
}

std::string planned(const MetricRequest& request, const Signature& signature) {
  std::string text;
  for (const Metric metric : plan_metrics(request, signature).metrics)
    text += (text.empty() ? "" : " ") + std::string(name_of(metric));
  return text;
}

Code refusal(const MetricRequest& request, const Signature& signature) {
  try {
    plan_metrics(request, signature);
  } catch (const Error& e) {
    return e.code();
  }
  return Code::internal;
}

TEST(PlanMetrics, ByTheShapeOfTheFirstOutput) {
  const MetricRequest nothing;
  for (const Shape& shape : {Shape{1, 1000}, {1000}, {1, 1000, 1, 1}, {1, 1, 10}})
    EXPECT_EQ(planned(nothing, gives(shape)), "agreement sqnr cosine") << to_string(shape);
  for (const Shape& shape : {Shape{1, 3549, 85}, {1, 1}, {1, 64, 8, 8}, {}})
    EXPECT_EQ(planned(nothing, gives(shape)), "sqnr cosine") << to_string(shape);
  for (const Shape& shape : {Shape{1, 1, 672, 672}, {1, 3, 64, 48}, {1, 64, 48, 3}})
    EXPECT_EQ(planned(nothing, gives(shape)), "sqnr cosine psnr") << to_string(shape);
  EXPECT_NE(plan_metrics(nothing, gives({1, 10})).reason.find("'y' [1,10]"), std::string::npos);
}

TEST(PlanMetrics, AGraphThatSuppressesBoxesIsComparedByThem) {
  const Signature own{
      {1, 3, 64, 64},
      {{"boxes", DType::f32, {7, 4}}, {"scores", DType::f32, {7}}, {"labels", DType::s64, {7}}},
      true};
  EXPECT_EQ(planned({}, own), "boxes");
}

TEST(PlanMetrics, LabelsAndGatesAdd) {
  EXPECT_EQ(planned({.labels = true}, gives({1, 10})), "topk agreement sqnr cosine");
  EXPECT_EQ(planned({.labels = true, .reference = false}, gives({1, 10})), "topk");
  const MetricRequest gated{.gated = {Metric::psnr, Metric::cosine}};
  EXPECT_EQ(planned(gated, gives({1, 10})), "agreement sqnr cosine psnr");
  EXPECT_NE(plan_metrics(gated, gives({1, 10})).reason.find("a gate needs psnr"),
            std::string::npos);
}

TEST(PlanMetrics, WhatIsAskedForIsTaken) {
  EXPECT_EQ(planned({.metrics = {Metric::boxes, Metric::agreement, Metric::boxes}},
                    {{1, 3, 416, 416}, {{"o", DType::f32, {1, 3549, 85}}}, false}),
            "agreement boxes");
}

TEST(PlanMetrics, RefusesWhatCannotBeMeasured) {
  EXPECT_EQ(refusal({.metrics = {Metric::topk}}, gives({1, 10})), Code::usage);
  EXPECT_EQ(refusal({.metrics = {Metric::sqnr}, .reference = false}, gives({1, 10})), Code::usage);
  EXPECT_EQ(refusal({.metrics = {Metric::boxes}}, gives({1, 10})), Code::unsupported);
  EXPECT_EQ(refusal({.metrics = {Metric::ctc}}, gives({1, 10})), Code::unsupported);
  EXPECT_EQ(refusal({.metrics = {Metric::ctc}, .blank = 10}, gives({1, 7, 10})), Code::usage);
  EXPECT_THROW(parse_metric("accuracy"), Error);
}

TEST(PlanMetrics, AxesAndBlankOfStrings) {
  const MetricRequest ctc{.metrics = {Metric::ctc}}, last{.metrics = {Metric::ctc}, .blank = -1};
  EXPECT_FALSE(plan_metrics(ctc, gives({1, 40, 97})).ctc.steps_first);
  EXPECT_TRUE(plan_metrics(ctc, gives({40, 1, 97})).ctc.steps_first);
  EXPECT_EQ(plan_metrics(last, gives({1, 40, 97})).ctc.blank, 96);
}

TEST(PlanMetrics, RecognizesDetectors) {
  const Signature yolox{{1, 3, 416, 416}, {{"o", DType::f32, {1, 3549, 85}}}, false};
  const MetricPlan plan = plan_metrics({}, yolox);
  EXPECT_EQ(plan.task, Task::boxes);
  EXPECT_EQ(plan.advice, "looks like a detector (yolox): add `metric boxes`");
  EXPECT_TRUE(plan.reads_boxes());
  EXPECT_FALSE(plan.has(Metric::boxes)) << "advice alone";
  EXPECT_EQ(plan_metrics({.metrics = {Metric::boxes}}, yolox).advice, "");
  EXPECT_EQ(plan_metrics({}, gives({1, 1000})).task, Task::unknown);
}

TEST(PlanMetrics, RecognizesTextRecognizers) {
  Signature reader{{1, 3, 48, 320}, {{"s", DType::f32, {1, 40, 97}, true}}};
  EXPECT_EQ(plan_metrics({}, reader).task, Task::strings);
  EXPECT_TRUE(plan_metrics({}, reader).reads_strings());
  reader.outputs.front().softmax = false;
  EXPECT_EQ(plan_metrics({}, reader).task, Task::unknown) << "it might be anything";
}

TEST(PlanMetrics, RecognizesEmbeddings) {
  Signature encoder{{}, {{"y", DType::f32, {1, 384}}}, false, true};
  const MetricPlan plan = plan_metrics({}, encoder);
  EXPECT_EQ(plan.task, Task::embeddings);
  EXPECT_FALSE(plan.has(Metric::agreement)) << "it has no classes";
  EXPECT_EQ(plan.advice, "looks like an embedding: its gate is `min-cosine`");
  EXPECT_EQ(plan_metrics({.gated = {Metric::cosine}}, encoder).advice, "");
  encoder.outputs.front().shape = {1, 12, 384};
  EXPECT_EQ(plan_metrics({}, encoder).task, Task::embeddings);
  encoder.outputs.front().shape = {1, 2};
  EXPECT_EQ(plan_metrics({}, encoder).task, Task::unknown) << "a classifier of texts";
  encoder.outputs.front() = {"image_embeds", DType::f32, {1, 512}};
  encoder.tokens = false;
  EXPECT_EQ(plan_metrics({}, encoder).task, Task::embeddings) << "by its name";
}

TEST(Psnr, IsOfTheExtentOfTheReference) {
  const std::vector<float> x = {0, 255, 100, 50}, y = {1, 254, 101, 49};
  Deviation d;
  Extrema left, right;
  d.add(x, y);
  left.add(std::span(x).first(2)), right.add(std::span(x).last(2));
  right.merge(left);
  EXPECT_NEAR(*psnr_db(d, right), 20 * std::log10(255.0), 1e-9);
  EXPECT_FALSE(psnr_db(Deviation{}, right)) << "no noise";
  EXPECT_FALSE(psnr_db(d, Extrema{})) << "nothing seen";
}

TEST(BestOf, IsTheFirstOfTopK) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    auto scores = testing::random_tensor({9}, seed).to_vector<float>();
    for (float& s : scores) s = std::round(3 * s);  // with ties
    if (seed % 3 == 0) scores[seed % 9] = std::nanf("");
    EXPECT_EQ(best_of(scores), top_k(scores, 1).front());
  }
}

// --- Over samples ---

Samples two(Shape shape) {
  Samples samples;
  samples.count = 2;
  samples.load = [shape](std::size_t i) {
    return std::optional(std::vector{testing::random_tensor(shape, 7 + static_cast<unsigned>(i))});
  };
  return samples;
}

Evaluation compared(const TextModel& reference, const TextModel& model,
                    const MetricRequest& request, Shape shape) {
  const Model a = reference.model(), b = model.model();
  const Executor x(a.graph()), y(b.graph());
  EvaluateOptions options;
  options.plan = plan_metrics(request, x, two(shape));
  return evaluate(y, &x, two(shape), options);
}

const TextModel steps("(float[N,T,5] x) => (float[N,T,5] y) { y = Identity(x) }");
const TextModel opposite("(float[N,T,5] x) => (float[N,T,5] y) { y = Neg(x) }");

TEST(PlanMetrics, SettingsOfWhatIsNotReadAreRefused) {
  MetricRequest request;
  request.detect.score = 0.5;
  EXPECT_EQ(refusal(request, gives({1, 10})), Code::usage);
  request.detect = {};
  request.blank = -1;
  EXPECT_EQ(refusal(request, gives({1, 10})), Code::usage);
  request.metrics = {Metric::ctc};
  EXPECT_EQ(planned(request, gives({1, 40, 97})), "ctc");
}

// Tokens that a mask takes out say nothing of either model.
TEST(Evaluate, PaddingIsNotCompared) {
  const auto head = [](const char* other) {
    return TextModel()
        .input("float[N,T,8] x, int64[N,T] attention_mask, int64[N,T] types")
        .output("float[N,T,8] y")
        .constants("int64[1] last = {2}, float by = {" + std::string(other) + "}")
        .nodes("real = Cast <to = 1> (attention_mask) wide = Unsqueeze(real, last)")
        .nodes("seen = Mul(x, wide) rest = Sub(x, seen)")
        .nodes("shifted = Mul(rest, by) y = Add(seen, shifted)");
  };
  const Model a = head("1").model(), b = head("-5").model();
  const Executor x(a.graph()), y(b.graph());
  const Samples samples{
      3, [](std::size_t i) {
        const auto mask = Tensor::of<std::int64_t>({1, 4}, {1, 1, 1, i == 1});
        return std::optional(std::vector<Tensor>{
            testing::random_tensor({1, 4, 8}, static_cast<unsigned>(i)), mask, mask});
      }};
  EvaluateOptions options;
  options.plan = plan_metrics({.metrics = {Metric::agreement, Metric::cosine}}, x, samples);
  EXPECT_EQ(options.plan.mask_name, "attention_mask");
  const Evaluation e = evaluate(y, &x, samples, options);
  EXPECT_EQ(e.all_tokens, 8u) << "of the two samples that have padding";
  EXPECT_EQ(e.padding, 2u);
  EXPECT_TRUE(e.outputs.front().deviation.exact());
  EXPECT_EQ(e.agreement->whole, 10u);
  EXPECT_EQ(e.agreement->part, 10u);
}

TEST(TokenMask, TakesOnesAndZerosOfTokens) {
  const TokenMask mask(Tensor::of<std::int64_t>({2, 2}, {1, 0, 1, 1}));
  EXPECT_TRUE(mask.applies_to({2, 2, 3}));
  EXPECT_FALSE(mask.applies_to({2, 2})) << "nothing for each token";
  EXPECT_FALSE(mask.applies_to({2, 3, 3}));
  EXPECT_EQ(mask.real_part(std::vector<float>{1, 2, 3, 4}), (std::vector<float>{1, 3, 4}));
  for (const Tensor& other :
       {Tensor::of<std::int64_t>({1, 2}, {1, 1}), Tensor::of<float>({1, 2}, {0, -10000}),
        Tensor::of<std::int64_t>({1, 2}, {0, 0})})
    EXPECT_FALSE(TokenMask(other).applies_to({1, 2, 3}));
}

TEST(Evaluate, StringsWithAnOpenNumberOfSteps) {
  const MetricRequest ctc{.metrics = {Metric::ctc}};
  const Evaluation same = compared(steps, steps, ctc, {2, 6, 5}),
                   other = compared(steps, opposite, ctc, {2, 6, 5});
  EXPECT_EQ(same.strings->lines, 4u) << "two lines in each of two samples";
  EXPECT_EQ(*same.strings->character_error(), 0);
  EXPECT_EQ(same.strings->equal_lines()->percent(), 100);
  EXPECT_GT(*other.strings->character_error(), 30);
  EXPECT_FALSE(same.agreement) << "nobody asked";
}

const TextModel image_copy("(float[1,3,16,16] x) => (float[1,3,16,16] y) { y = Identity(x) }");
const TextModel image_half(
    "(float[1,3,16,16] x) => (float[1,3,16,16] y) <float k = {0.9}> { y = Mul(x, k) }");

TEST(Evaluate, ImagesByPsnr) {
  const Evaluation e = compared(image_copy, image_half, {}, {1, 3, 16, 16});
  const OutputDeviation& output = e.outputs.front();
  const auto psnr = def_of(Metric::psnr).output.of(output);
  ASSERT_TRUE(psnr);
  EXPECT_GT(*psnr, *output.deviation.sqnr_db()) << "the peak is above the mean";
  EXPECT_FALSE(e.agreement);
}

// Boxes at the grid of the image's values; one of the models loses those below a limit, so that its
// list is shorter.
Model suppressing(const std::string& least) {
  return TextModel()
      .input("float[1,12,4] boxes_in, float[1,1,12] scores_in")
      .output("float[M,4] boxes, float[M] scores, int64[M] labels")
      .constants("int64[1] many = {20}, float[1] overlap = {0.5}, float[1] least = {" + least + "}")
      .constants("int64[1] two = {2}, int64[1] minus = {-1}, int64[1] zero = {0}")
      .nodes("picked = NonMaxSuppression(boxes_in, scores_in, many, overlap, least)")
      .nodes("column = Gather <axis = 1> (picked, two)")
      .nodes("index = Squeeze(column)")
      .nodes("flat = Squeeze(boxes_in, zero)")
      .nodes("boxes = Gather(flat, index)")
      .nodes("line = Reshape(scores_in, minus)")
      .nodes("scores = Gather(line, index)")
      .nodes("labels = Mul(index, zero)")
      .model();
}

TEST(Evaluate, ListsOfBoxesOfDifferentLengths) {
  Samples samples;
  samples.count = 1;
  samples.load = [](std::size_t) {
    std::vector<float> boxes, scores;
    for (int i = 0; i < 12; ++i) {
      const auto at = static_cast<float>(10 * i);
      boxes.insert(boxes.end(), {at, 0, at + 8, 8});
      scores.push_back(0.4f + 0.04f * static_cast<float>(i));
    }
    return std::optional(
        std::vector{Tensor::of<float>({1, 12, 4}, boxes), Tensor::of<float>({1, 1, 12}, scores)});
  };
  const Model a = suppressing("0.3"), b = suppressing("0.5");
  const Executor reference(a.graph()), model(b.graph());
  EvaluateOptions options;
  options.plan = plan_metrics({}, reference, samples);
  ASSERT_TRUE(options.plan.has(Metric::boxes)) << options.plan.reason;
  const Evaluation e = evaluate(model, &reference, samples, options);
  EXPECT_EQ(e.boxes->expected, 12u);
  EXPECT_EQ(e.boxes->found, 9u);
  EXPECT_EQ(e.boxes->matched, 9u);
  EXPECT_TRUE(e.outputs.empty());
  options.plan = plan_metrics({.gated = {Metric::sqnr}}, reference, samples);
  EXPECT_THROW(evaluate(model, &reference, samples, options), Error)
      << "lists of other lengths have no SQNR";
}

}  // namespace
}  // namespace intaglio
