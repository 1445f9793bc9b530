// State inputs: which outputs feed them, and what zeros in every sample mean for the draft.
#include "calibration/statistics/state_inputs.h"

#include <gtest/gtest.h>

#include "calibration/ranges/select.h"
#include "calibration/ranges/unsuitable.h"
#include "lib/exec/executor.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

using Pairs = std::map<std::string, std::string>;

// Inputs and outputs of one type, each output the Relu of an input.
Pairs pairs_of(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
               const std::string& type = "float[1,8]") {
  std::string in, out, nodes;
  for (const std::string& name : inputs) in += (in.empty() ? "" : ", ") + type + " " + name;
  for (const std::string& name : outputs) {
    out += (out.empty() ? "" : ", ") + type + " " + name;
    nodes += name + " = Relu(" + inputs.front() + ") ";
  }
  return state_pairs(TextModel().typed("(" + in + ") => (" + out + ") {" + nodes + "}").graph());
}

TEST(StateInputs, NamesTellWhatFeedsThem) {
  EXPECT_EQ(pairs_of({"x", "h", "c"}, {"y", "hn", "cn"}), (Pairs{{"h", "hn"}, {"c", "cn"}}));
  EXPECT_EQ(pairs_of({"x", "h0", "c0"}, {"y", "h_out", "c_out"}),
            (Pairs{{"h0", "h_out"}, {"c0", "c_out"}}));
  EXPECT_EQ(pairs_of({"ids", "past_key_values_0_key", "past_key_values_0_value"},
                     {"logits", "present_0_key", "present_0_value"}),
            (Pairs{{"past_key_values_0_key", "present_0_key"},
                   {"past_key_values_0_value", "present_0_value"}}));
  EXPECT_EQ(pairs_of({"x", "state"}, {"y", "stateN"}), (Pairs{{"state", "stateN"}}));
  EXPECT_EQ(pairs_of({"x", "cache"}, {"y", "new_cache"}), (Pairs{{"cache", "new_cache"}}));
}

TEST(StateInputs, AnImageIsNoStateOfAnotherImage) {
  EXPECT_EQ(pairs_of({"image"}, {"scores"}), Pairs());
  EXPECT_EQ(pairs_of({"left", "right"}, {"disparity", "confidence"}), Pairs());
}

TEST(StateInputs, TheOnlyOnesOfTheirShapeBelongTogether) {
  const Model model = TextModel().typed(
      "(float[1,8] x, float[2,1,5] a) => (float[1,8] y, float[2,1,5] b) { y = Relu(x) b = Relu(a) "
      "}");
  EXPECT_EQ(state_pairs(model.graph()), (Pairs{{"x", "y"}, {"a", "b"}}));
  const Model other = TextModel().typed(
      "(float[1,8] x, float[2,1,5] a) => (float[1,8] y, float[2,1,10] b) { y = Relu(x) b = "
      "Concat<axis = 2>(a, a) }");
  EXPECT_FALSE(state_pairs(other.graph()).contains("a"));
}

Statistics seen(std::initializer_list<float> values) {
  Statistics s;
  s.add(std::vector<float>(values));
  return s;
}

struct Judged {
  Model model;
  Plan plan;
  std::map<std::string, std::string> left;
};

Judged judged(const std::string& graph, const Observations& observations) {
  Model model = TextModel().typed(graph);
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  auto left = unsuitable(model.graph(), plan, observations);
  return {std::move(model), std::move(plan), std::move(left)};
}

TEST(StateInputs, OfZerosTakeTheRangeOfWhatFeedsThem) {
  Observations o;
  o.values = {
      {"x", seen({-1, 1})}, {"h", seen({0, 0})}, {"r", seen({0, 0})}, {"hn", seen({-5, 3})}};
  auto j = judged(
      "(float[1,2] x, float[1,2] h) => (float[1,2] hn) <float[2,2] w = {1,2,3,4}, "
      "int64[2] s = {1,2}> { r = Reshape(h, s) a = MatMul(x, w) b = MatMul(r, w) hn = "
      "Add(a, b) }",
      o);
  EXPECT_TRUE(j.left.empty());
  EXPECT_TRUE(measured_values(j.model.graph(), j.plan).contains("hn"));
  select(j.plan, j.model.graph(), o);
  EXPECT_EQ(j.plan.find("r")->range, (Range{-5, 3})) << "h, moved about";
  ASSERT_EQ(j.plan.warnings.size(), 1u);
  EXPECT_NE(j.plan.warnings[0].find("'hn'"), std::string::npos);
}

TEST(StateInputs, OfZerosThatNothingFeedsAreReadInFloat) {
  Observations o;
  o.values = {{"x", seen({-1, 1})}, {"m", seen({0, 0})}, {"r", seen({0, 0})}};
  const auto j = judged(
      "(float[1,2] x, float[1,2] m) => (float[2] y) <float[2,2] w = {1,2,3,4}, int64[2] s = "
      "{1,2}> { r = Reshape(m, s) a = MatMul(x, w) b = MatMul(r, w) c = Add(a, b) y = "
      "ReduceSum(c) }",
      o);
  ASSERT_TRUE(j.left.contains("b")) << "reads it moved about";
  EXPECT_NE(j.left.at("b").find("input 'm' was zero in every sample"), std::string::npos);
  EXPECT_FALSE(j.left.contains("a"));
}

TEST(StateInputs, OfZerosRunOnWithWhatTheModelMade) {
  const Model model = TextModel().typed(
      "(float[1,2] x, float[1,2] h, float[1,L,2] past) => (float[1,2] hn, float[1,M,2] present) "
      "<int64[3] "
      "s = {1,1,2}> { hn = Add(x, h) k = Reshape(x, s) present = Concat<axis = 1>(past, k) }");
  const StateFeeds states(model.graph());
  const Executor executor(model.graph());
  const std::vector<Tensor> first = {Tensor::of<float>({1, 2}, {1, 2}),
                                     Tensor::of<float>({1, 2}, {0, 0}),
                                     Tensor(DType::f32, {1, 0, 2})};
  auto next = states.next(first, executor.run(first));
  ASSERT_TRUE(next);
  EXPECT_TRUE(testing::close((*next)[0], first[0]));
  EXPECT_TRUE(testing::close((*next)[1], first[0])) << "what the model made of zeros";
  EXPECT_EQ((*next)[2].shape(), (Shape{1, 1, 2})) << "a cache grows";
  next = states.next(first, executor.run(*next));
  EXPECT_EQ((*next)[2].shape(), (Shape{1, 2, 2}));
  std::vector<Tensor> given = first;
  given[1] = first[0];
  given[2] = Tensor::of<float>({1, 1, 2}, {3, 4});
  EXPECT_FALSE(states.next(given, executor.run(given))) << "states that the data hold stay";
}

TEST(Unsuitable, InfinitiesAreMasksThatNoCodeStandsFor) {
  Observations o;
  o.values = {{"x", seen({-1, 1})},
              {"m", seen({0, -std::numeric_limits<float>::infinity()})},
              {"s", seen({-1, 1})}};
  const auto j = judged(
      "(float[1,2] x, float[1,2] m) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { s = Add(x, m) "
      "y = MatMul(s, w) }",
      o);
  EXPECT_TRUE(j.left.contains("s"));
  EXPECT_FALSE(j.left.contains("y"));
}

TEST(Unsuitable, WhatNobodyMeasuredStaysFloat) {
  Observations o;
  o.values = {{"x", seen({-1, 1})}};
  const auto j = judged(
      "(float[1,2] x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { s = Add(x, x) y = MatMul(s, "
      "w) }",
      o);
  const auto left = unmeasured(j.model.graph(), j.plan, o);
  EXPECT_TRUE(left.contains("s"));
  EXPECT_TRUE(left.contains("y"));
}

}  // namespace
}  // namespace intaglio
