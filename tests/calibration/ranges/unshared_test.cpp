// Joins whose range would keep a Relu from being computed with its convolution.
#include "calibration/ranges/unshared.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "calibration/ranges/select.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Statistics seen(float lo, float hi) {
  Statistics s;
  s.histogram.emplace();
  std::vector<float> values;
  for (int i = 0; i <= 100; ++i) values.push_back(lo + (hi - lo) * static_cast<float>(i) / 100);
  s.add(values);
  return s;
}

struct Selected {
  Model model;
  Plan plan;
  const ActivationPlan& of(const char* name) const { return *plan.find(name); }
  bool redundant(const char* name, double hi = std::numeric_limits<double>::infinity()) const {
    return saturates_at(of(name).params, of(name).scheme, 0, hi);
  }
};

// c is what `clip` makes of a convolution, j joins it with the input, which reaches from -2 to 6.
Selected joined(const std::string& clip, const std::string& behind, float top,
                bool unshare = true) {
  Model model = TextModel().typed(
      "(float[1,2,4,4] x) => (float[] y) <float[2,2,1,1] w = {1,2,3,4}, float[2,4,1,1] v = "
      "{1,2,3,4,1,2,3,4}, float lo = {0}, float hi = {6}> { r = Conv(x, w) c = " +
      clip + " " + behind + " }");
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  Observations o;
  for (const ActivationPlan& a : plan.activations) o.values[a.name] = seen(-2, 6);
  for (const char* name : {"c", "p"})
    if (o.values.contains(name)) o.values[name] = seen(0, top);
  select(plan, model.graph(), o, {.weights = {}, .unshare = unshare});
  return {std::move(model), std::move(plan)};
}

const std::string concat = "j = Concat<axis = 1>(c, x) y = Conv(j, v)";

TEST(Unshared, AReluLeavesTheJoinThatReachesBelowZero) {
  const Selected shared = joined("Relu(r)", concat, 5, false);
  EXPECT_FALSE(shared.redundant("c"));
  EXPECT_EQ(shared.of("c").group, shared.of("j").group);
  const Selected s = joined("Relu(r)", concat, 5);
  EXPECT_TRUE(s.redundant("c"));
  EXPECT_EQ(s.of("c").group, "c");
  EXPECT_EQ(s.of("j").range, (Range{-2, 6}));
  EXPECT_EQ(s.of("x").group, s.of("j").group);
  EXPECT_FLOAT_EQ(s.of("c").params.scale[0], s.of("j").params.scale[0])
      << "codes are shifted, nothing is rounded twice";
  EXPECT_TRUE(std::ranges::any_of(s.of("c").notes, [](const std::string& note) {
    return note.find("has not the range of 'x', with which the Relu") != std::string::npos;
  }));
}

TEST(Unshared, MovedCopiesGoAlong) {
  const Selected s = joined("Relu(r)",
                            "p = MaxPool<kernel_shape = [1, 1]>(c) j = Concat<axis = 1>(p, x) y = "
                            "Conv(j, v)",
                            5);
  EXPECT_TRUE(s.redundant("c"));
  EXPECT_EQ(s.of("p").group, "c");
  EXPECT_EQ(s.of("p").params, s.of("c").params);
}

TEST(Unshared, OthersThatReadItGetFinerStepsWhereThatPays) {
  const std::string other = concat + " q = Conv(c, w)";
  EXPECT_EQ(joined("Relu(r)", other, 1).of("c").range, (Range{0, 1}));
  EXPECT_EQ(joined("Relu(r)", other, 7).of("c").range, (Range{0, 9})) << "hardly finer";
}

TEST(Unshared, WhatIsComputedFromItAndJoinedWithItIsNoCopy) {
  Model model = TextModel().typed(
      "(float[1,2,4,4] x) => (float[] y) <float[2,2,1,1] w = {1,2,3,4}, float[2,4,1,1] v = "
      "{1,2,3,4,1,2,3,4}> { r = Conv(x, w) c = Relu(r) q = Conv(c, w) j = Concat<axis = 1>(c, q) y "
      "= Conv(j, v) z = Relu(y) }");
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  Observations o;
  for (const ActivationPlan& a : plan.activations) o.values[a.name] = seen(-8, 6);
  o.values["c"] = seen(0, 6);
  select(plan, model.graph(), o, {.weights = {}, .unshare = true});
  EXPECT_EQ(plan.find("c")->range.lo, 0);
  EXPECT_EQ(plan.find("q")->range, (Range{-8, 6}));
  EXPECT_EQ(plan.find("q")->group, plan.find("j")->group);
}

TEST(Unshared, AClipHasARangeThatEndsAtItsBounds) {
  const Selected s = joined("Clip(r, lo, hi)", concat, 6);
  EXPECT_TRUE(s.redundant("c", 6)) << "0..8 would reach beyond 6";
  EXPECT_EQ(s.of("c").range, (Range{0, 6}));
}

// Half a step lies beyond one of the bounds.
TEST(Unshared, AClipEvenlyAround0EndsAtItsBounds) {
  Model model = TextModel().typed(
      "(float[1,2,4,4] x) => (float[] y) <float[2,2,1,1] w = {1,2,3,4}, float lo = {-4}, float hi "
      "= {4}> { r = Conv(x, w) c = Clip(r, lo, hi) q = Conv(c, w) y = Relu(q) }");
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  Observations o;
  for (const ActivationPlan& a : plan.activations) o.values[a.name] = seen(-4, 4);
  select(plan, model.graph(), o, {.weights = {}, .unshare = true});
  const ActivationPlan& c = *plan.find("c");
  EXPECT_TRUE(saturates_at(c.params, c.scheme, -4, 4));
  EXPECT_NEAR(c.params.scale[0], 8.0f / 255, 2e-5f);
}

TEST(Unshared, WhatFitsStaysTogether) {
  Model model = TextModel().typed(
      "(float[1,2,4,4] x) => (float[] y) <float[2,2,1,1] w = {1,2,3,4}, float[2,4,1,1] v = "
      "{1,2,3,4,1,2,3,4}> { r = Conv(x, w) c = Relu(r) q = Conv(x, w) d = Relu(q) j = Concat<axis "
      "= 1>(c, d) y = Conv(j, v) }");
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  Observations o;
  for (const ActivationPlan& a : plan.activations) o.values[a.name] = seen(0, 4);
  select(plan, model.graph(), o, {.weights = {}, .unshare = true});
  EXPECT_EQ(plan.find("c")->group, plan.find("j")->group);
  EXPECT_EQ(plan.find("d")->group, plan.find("j")->group);
}

}  // namespace
}  // namespace intaglio
