// From statistics to the numbers of a plan.
#include "calibration/ranges/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Statistics seen(std::initializer_list<float> values) {
  Statistics s;
  s.add(std::vector<float>(values));
  return s;
}

TEST(Statistics, CountWhatIsNotFiniteAndLeaveItOut) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  const Statistics s = seen({1, nan, -inf, 0, -2, inf, -0.0f});
  EXPECT_EQ(s.min, -2);
  EXPECT_EQ(s.max, 1);
  EXPECT_EQ(s.count, 7u);
  EXPECT_EQ(s.nans, 1u);
  EXPECT_EQ(s.infs, 2u);
  EXPECT_EQ(s.zeros, 2u);
  EXPECT_EQ(s.finite(), 4u);
}

TEST(Statistics, DependOnTheMultisetAlone) {
  std::mt19937 engine(3);
  std::vector<float> values(1000);
  for (float& v : values) v = static_cast<float>(engine()) * 1e-9f - 2;
  values[17] = std::numeric_limits<float>::quiet_NaN();
  Statistics whole;
  whole.add(values);
  std::shuffle(values.begin(), values.end(), engine);
  Statistics merged;
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t n = std::min<std::size_t>(engine() % 90, values.size() - at);
    Statistics part;
    part.add(std::span(values).subspan(at, n));
    part.merge(merged);
    merged = part;
    at += n;
  }
  EXPECT_EQ(merged, whole);
}

struct Selected {
  Model model;
  Plan plan;
};

Selected selected(const std::string& text, const Observations& observations,
                  const SelectOptions& options = {}) {
  Model model = TextModel().typed(text);
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  select(plan, model.graph(), observations, options);
  return {std::move(model), std::move(plan)};
}

TEST(Select, AGroupHasTheRangeOfAllItsValues) {
  Observations o;
  o.values = {{"a", seen({0, 1})}, {"b", seen({-3, 0.5})}, {"c", seen({-3, 1})}};
  const auto s = selected(
      "(float[1,2] a, float[1,2] b) => (float[2,2] y) { c = Concat<axis = 0>(a, b) y = Add(c, c) }",
      o);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(s.plan.find(name)->range, (Range{-3, 1}));
    EXPECT_EQ(s.plan.find(name)->params, s.plan.find("c")->params);
  }
}

TEST(Select, WhatMaxPoolLosesNeedsNoCodes) {
  Observations o;
  o.values = {{"a", seen({-9, 4})}, {"p", seen({-1, 4})}};
  const std::string nodes = "{ a = Add(x, x) p = MaxPool<kernel_shape=[2]>(a) y = Add(p, p)";
  const auto s = selected("(float[1,1,4] x) => (float[1,1,3] y) " + nodes + " }", o);
  EXPECT_EQ(s.plan.find("a")->range, (Range{-1, 4}));
  EXPECT_EQ(s.plan.find("a")->notes,
            (std::vector<std::string>{"has the range of what MaxPool makes of it"}));
  const auto read = selected(
      "(float[1,1,4] x) => (float[1,1,3] y, float[1,1,4] z) " + nodes + " z = Add(a, a) }", o);
  EXPECT_EQ(read.plan.find("p")->range, (Range{-9, 4})) << "Add reads it whole";
}

Statistics histogram_of(float lo, float hi, float slope) {
  Statistics s;
  s.histogram.emplace();
  for (int i = 0; i < 4000; ++i) {
    const float x = lo + (hi - lo) * static_cast<float>(i) / 4000;
    s.add(std::vector<float>{x < 0 ? slope * x : x});
  }
  return s;
}

TEST(Select, LeakyReluKeepsTheScaleWhereThatLeavesLessError) {
  Observations o;
  o.values = {{"a", histogram_of(-2, 9, 1)},
              {"l", histogram_of(-2, 9, 0.1f)},
              {"b", histogram_of(-50, 9, 1)},
              {"m", histogram_of(-50, 9, 0.1f)}};
  const std::string nodes =
      "{ a = Add(x, x) l = LeakyRelu<alpha=0.1>(a) b = Add(x, x) m = LeakyRelu<alpha=0.1>(b)";
  SelectOptions mse;
  mse.method = parse_method("mse");
  const auto scale = [](const Selected& s, const char* name) {
    return s.plan.find(name)->params.scale.front();
  };
  const auto s = selected("(float[1,4] x) => (float[1,4] y) " + nodes + " y = Add(l, m) }", o, mse);
  EXPECT_NEAR(scale(s, "l") / scale(s, "a"), 1, 1e-6);
  EXPECT_EQ(s.plan.find("l")->notes, (std::vector<std::string>{"keeps the scale of 'a'"}));
  EXPECT_LT(scale(s, "m"), scale(s, "b")) << "most of its values lie below zero";
  const auto joined = selected(
      "(float[1,4] x) => (float[2,4] y) " + nodes + " c = Concat<axis = 0>(l, m) y = Add(c, c) }",
      o, mse);
  EXPECT_EQ(scale(joined, "l"), scale(joined, "m")) << "others share its parameters";
  const auto asked = selected("(float[1,4] x) => (float[1,4] y) " + nodes + " y = Add(l, m) }", o);
  EXPECT_LT(scale(asked, "l"), scale(asked, "a")) << "min and max were asked for";
}

TEST(Select, DeadUnseenAndUnclean) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Observations o;
  o.values = {{"x", seen({0, 0})}, {"y", seen({nan, 0.5})}};
  const auto s = selected("(float[2] x) => (float[2] y) { y = Relu(x) }", o);
  EXPECT_EQ(s.plan.find("x")->params.scale.front(), 1);
  EXPECT_EQ(s.plan.find("x")->notes, (std::vector<std::string>{"dead"}));
  EXPECT_EQ(s.plan.warnings.size(), 2u);
  const auto unseen = selected("(float[2] x) => (float[2] y) { y = Relu(x) }", {});
  EXPECT_EQ(unseen.plan.find("y")->notes, (std::vector<std::string>{"never observed"}));
}

TEST(Select, ANearlyDeadChannelDoesNotOverflowItsBias) {
  Observations o;
  o.values = {{"x", seen({-1, 1})}, {"y", seen({-1, 1})}};
  const auto s = selected(
      "(float[1,1,1,1] x) => (float[1,2,1,1] y)"
      "<float[2,1,1,1] w = {0.000000000001, 1}, float[2] b = {2, 2}> { y = Conv(x, w, b) }",
      o);
  const NodePlan& node = s.plan.nodes.front();
  EXPECT_EQ(node.constants[0].raised, 1);
  EXPECT_EQ(s.plan.warnings.size(), 1u);
  for (const float scale : node.bias->params.scale) EXPECT_LE(2 / scale, 1 << 29);
}

TEST(Select, ANaNInAWeightNamesNodeAndConstant) {
  Observations o;
  try {
    Model model = TextModel().typed(
        "(float[1,1] x) => (float[1,2] y) <float[1,2] w = {1, 2}> { y = MatMul(x, w) }");
    model.graph().find("w")->set_constant(
        Tensor::of<float>({1, 2}, {1, std::numeric_limits<float>::quiet_NaN()}));
    Plan plan =
        draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
    select(plan, model.graph(), o);
    FAIL() << "a NaN was quantized";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_NE(std::string(e.what()).find("'w'"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("MatMul"), std::string::npos) << e.what();
  }
}

TEST(Method, IsParsedStrictly) {
  EXPECT_EQ(parse_method("minmax").name, "minmax");
  EXPECT_THROW(parse_method("maxmin"), Error);
  EXPECT_THROW(parse_method("minmax:p=3"), Error);
}

}  // namespace
}  // namespace intaglio
