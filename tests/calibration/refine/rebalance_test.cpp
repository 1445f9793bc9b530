// Shift and equalization: every change keeps what the network computes, and does what it is for.
#include "calibration/refine/rebalance.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "calibration/refine/channels.h"
#include "lib/exec/infer.h"
#include "lib/quant/draft.h"
#include "tests/support/omitted.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_model;
using testing::random_samples;
using testing::random_tensor;

Plan draft_of(const Model& model) {
  return draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
}

Tensor output_of(const Model& model, const Tensor& x) {
  return Executor(model.graph()).run(std::vector<Tensor>{x})[0];
}

std::vector<std::string> names(const ChannelGroup& group) {
  std::vector<std::string> list;
  for (const GroupValue& v : group.values) list.push_back(v.value->name());
  return list;
}

// --- Groups ---

TEST(ScalableGroups, ReachFromLayerToLayer) {
  const Model m = random_model(
      "(float[1,3,8,8] x, float[4,3,1,1] a, float[4] b, float[4,1,3,3] c, float[4] d, "
      "float[2,4,1,1] e) => (float[] y) {"
      " p = Conv(x, a, b) q = Relu(p) r = Conv<group=4, pads=[1,1,1,1]>(q, c, d) y = Conv(r, e) }");
  const auto groups = scalable_groups(m.graph());
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(names(groups[0]), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(names(groups[1]), (std::vector<std::string>{"r"}));
  EXPECT_EQ(groups[0].width, 4u);
}

TEST(Layer, TakesABiasOfOneValuePerOutputAlone) {
  const auto has_layer = [](const char* bias) {
    const Model m = random_model(std::string("(float[4,3] x, float[3,5] w, float") + bias +
                                 " c) => (float[] y) { y = Gemm(x, w, c) }");
    return layer_of(*m.graph().nodes().front()).has_value();
  };
  EXPECT_TRUE(has_layer("[5]"));
  for (const char* bias : {"", "[1]", "[1,5]", "[4,1]", "[4,5]"})
    EXPECT_FALSE(has_layer(bias)) << bias;
}

// Nodes whose first output nobody wants make no groups, and end none but those that they read.
TEST(Groups, AFirstOutputMayBeOmitted) {
  for (const char* op : {"LSTM", "Split", "TopK", "LayerNormalization"}) {
    Model m = random_model(
        "(float[4,1,2] x, float[2,2] a, float[1,12,2] w, float[1,12,3] r) => (float[] y) {"
        " p = MatMul(x, a) y = Identity(p) }",
        17);
    Node& node = testing::omit_first_output(m.graph(), "y", op,
                                            op == std::string("LSTM")
                                                ? std::vector<std::string>{"p", "w", "r"}
                                                : std::vector<std::string>{"p"});
    if (node.is("LSTM")) node.set_attr("hidden_size", std::int64_t{3});
    EXPECT_TRUE(scalable_groups(m.graph()).empty()) << op;
    EXPECT_TRUE(shiftable_groups(m.graph()).empty()) << op;
    EXPECT_TRUE(carried_groups(m.graph()).empty()) << op;
  }
}

TEST(ScalableGroups, TieTheInputsOfAnAddAndThePartsOfAConcat) {
  const Model m = random_model(
      "(float[1,3,4,4] x, float[4,3,1,1] a, float[4,3,1,1] b, float[2,4,1,1] c, float[5,6,1,1] d, "
      "float[2,3,1,1] e)"
      " => (float[] y) { p = Conv(x, a) q = Conv(x, b) s = Add(p, q) t = Conv(s, c) u = Conv(x, e)"
      " v = Concat<axis=1>(s, u) y = Conv(v, d) }");
  const auto groups = scalable_groups(m.graph());
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(names(groups[0]), (std::vector<std::string>{"p", "q", "s", "u", "v"}));
  EXPECT_EQ(groups[0].width, 6u);
  EXPECT_EQ(groups[0].values[0].channels, groups[0].values[1].channels);
  EXPECT_EQ(groups[0].readers.size(), 2u);
}

TEST(ScalableGroups, PassGates) {
  const std::string in =
      "(float[1,3,4,4] x, float[4,3,1,1] a, float[2,4,1,1] b) => (float[] y) { p = Conv(x, a) ";
  for (const char* mul : {"Mul(p, s)", "Mul(s, p)"}) {
    const Model m = random_model(in + "s = Sigmoid(p) q = " + mul + " y = Conv(q, b) }");
    const auto groups = scalable_groups(m.graph());
    ASSERT_EQ(groups.size(), 1u) << mul;
    EXPECT_EQ(names(groups[0]), (std::vector<std::string>{"p", "q"}));
    ASSERT_EQ(groups[0].gates.size(), 1u);
    EXPECT_TRUE(groups[0].gates[0]->is("Sigmoid"));
  }
  const auto count = [&](const std::string& body) {
    return scalable_groups(random_model(in + body).graph()).size();
  };
  EXPECT_EQ(count("s = Sigmoid(p) t = Neg(s) q = Mul(p, s) u = Add(q, t) y = Conv(u, b) }"), 0u)
      << "somebody else reads the Sigmoid";
  EXPECT_EQ(count("n = Neg(p) s = Sigmoid(n) q = Mul(p, s) y = Conv(q, b) }"), 0u)
      << "the Sigmoid of something else";
}

TEST(ScalableGroups, EndAtWhatDoesNotScale) {
  const auto count = [](const std::string& body) {
    return scalable_groups(random_model(body).graph()).size();
  };
  const std::string in =
      "(float[1,3,4,4] x, float[4,3,1,1] a, float[2,4,1,1] b, float[1,4,1,1] k) => (float[] y) { p "
      "= Conv(x, a) ";
  EXPECT_EQ(count(in + "y = Conv(p, b) }"), 1u);
  EXPECT_EQ(count(in + "q = Sigmoid(p) y = Conv(q, b) }"), 0u);
  EXPECT_EQ(count(in + "q = Add(p, k) y = Conv(q, b) }"), 0u);  // a constant does not scale along
  EXPECT_EQ(count(in + "q = Conv(x, a) r = Add(p, q) y = Conv(r, b) }"),
            0u);  // weights of two nodes
  EXPECT_EQ(count("(float[1,3,4,4] x, float[4,3,1,1] a, float[2,4,1,1] b) => (float[] y, float[] p)"
                  " { p = Conv(x, a) y = Conv(p, b) }"),
            0u);  // leaves the graph
  EXPECT_EQ(
      count("(float[1,3,4,4] x, float[2,3,1,1] b) => (float[] y) { q = Relu(x) y = Conv(q, b) }"),
      0u);
}

TEST(ShiftableGroups, NeedABiasAndNoPadding) {
  const auto count = [](const std::string& second) {
    return shiftable_groups(random_model("(float[1,3,6,6] x, float[4,3,1,1] a, float[4] b, "
                                         "float[2,4,3,3] c, float[2] d) => (float[] y)"
                                         " { p = Conv(x, a, b) y = " +
                                         second + " }")
                                .graph())
        .size();
  };
  EXPECT_EQ(count("Conv(p, c, d)"), 1u);
  EXPECT_EQ(count("Conv(p, c)"), 0u);
  EXPECT_EQ(count("Conv<pads=[1,1,1,1]>(p, c, d)"), 0u);
  EXPECT_EQ(count("Conv<auto_pad=\"SAME_UPPER\">(p, c, d)"), 0u);
}

// --- Applying ---

struct Case {
  const char* name;
  std::string body;
  Shape input;
  const char* value;
  std::size_t channels;
};

class EveryLayer : public ::testing::TestWithParam<Case> {};

TEST_P(EveryLayer, TakesUpShiftAndScale) {
  const Case& c = GetParam();
  const Model model = random_model(c.body);
  Model changed = model.clone();
  const Tensor m = random_tensor({static_cast<std::int64_t>(c.channels)}, 50);
  const Tensor s = random_tensor({static_cast<std::int64_t>(c.channels)}, 51, 0.25f, 4.0f);
  const std::vector<float> shift(m.data<float>().begin(), m.data<float>().end());
  const std::vector<float> scale(s.data<float>().begin(), s.data<float>().end());
  apply_channels(changed, {{c.value, shift, scale}});
  const Tensor x = random_tensor(c.input, 60);
  EXPECT_TRUE(close(output_of(changed, x), output_of(model, x), 1e-4, 1e-4));

  // and the value is what the header says
  Tensor before, after;
  const std::vector<Tensor> feeds = {x};
  const auto into = [&](Tensor& where) {
    return [&](const Value& v, const Tensor& t) {
      if (v.name() == c.value) where = to_row_major(t);
    };
  };
  Executor(model.graph()).run(feeds, into(before));
  Executor(changed.graph()).run(feeds, into(after));
  const bool last = c.body.find("MatMul") != std::string::npos;
  const std::size_t inner =
      last ? 1 : static_cast<std::size_t>(product(before.shape(), 2, before.shape().size()));
  for (std::size_t i = 0; i < before.data<float>().size(); ++i) {
    const std::size_t at = i / inner % c.channels;
    ASSERT_NEAR(after.data<float>()[i], (before.data<float>()[i] - shift[at]) * scale[at], 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layers, EveryLayer,
    ::testing::Values(
        Case{"Conv",
             "(float[1,3,6,6] x, float[4,3,3,3] a, float[4] b, float[5,4,3,3] c, float[5] d) => "
             "(float[] y)"
             " { p = Conv(x, a, b) y = Conv(p, c, d) }",
             {1, 3, 6, 6},
             "p",
             4},
        Case{"Grouped",
             "(float[1,4,6,6] x, float[8,2,1,1] a, float[8] b, float[6,4,3,3] c, float[6] d) => "
             "(float[] y)"
             " { p = Conv<group=2>(x, a, b) y = Conv<group=2>(p, c, d) }",
             {1, 4, 6, 6},
             "p",
             8},
        Case{"Depthwise",
             "(float[1,4,6,6] x, float[4,1,1,1] a, float[4] b, float[4,1,3,3] c, float[4] d) => "
             "(float[] y)"
             " { p = Conv<group=4>(x, a, b) y = Conv<group=4>(p, c, d) }",
             {1, 4, 6, 6},
             "p",
             4},
        Case{"ConvTranspose",
             "(float[1,4,5,5] x, float[4,3,1,1] a, float[6] b, float[6,2,1,1] c, float[4] d) => "
             "(float[] y)"
             " { p = ConvTranspose<group=2>(x, a, b) y = ConvTranspose<group=2>(p, c, d) }",
             {1, 4, 5, 5},
             "p",
             6},
        Case{"Gemm",
             "(float[3,4] x, float[4,6] a, float[6] b, float[5,6] c, float[5] d) => (float[] y)"
             " { p = Gemm(x, a, b) y = Gemm<transB=1>(p, c, d) }",
             {3, 4},
             "p",
             6}),
    [](const auto& c) { return c.param.name; });

TEST(ApplyChannels, ScalesAMatMulAlongItsLastAxis) {
  const Model model = random_model(
      "(float[2,3,4] x, float[4,6] a, float[6,5] c) => (float[] y) { p = MatMul(x, a) y = "
      "MatMul(p, c) }");
  Model changed = model.clone();
  apply_channels(changed, {{"p", {}, {1, 2, 3, 4, 5, 6}}});
  const Tensor x = random_tensor({2, 3, 4}, 60);
  EXPECT_TRUE(close(output_of(changed, x), output_of(model, x), 1e-5, 1e-5));
  EXPECT_FALSE(close(changed.graph().find("a")->constant(), model.graph().find("a")->constant()));
}

TEST(ApplyChannels, RefusesAPlanOfAnotherModel) {
  Model model = random_model(
      "(float[3,4] x, float[4,6] a, float[6,5] c) => (float[] y) { p = MatMul(x, a) y = MatMul(p, "
      "c) }");
  EXPECT_THROW(apply_channels(model, {{"q", {}, {1}}}), Error);
  EXPECT_THROW(apply_channels(model, {{"p", {}, {1, 2}}}), Error);
  EXPECT_THROW(apply_channels(model, {{"p", {0, 0, 0, 0, 0, 1}, {}}}),
               Error);  // no bias to take it up
}

// --- Statistics ---

TEST(ChannelStatistics, DoNotDependOnTheLayout) {
  const Tensor x = random_tensor({2, 5, 7, 9}, 3);
  ChannelStatistics rows, columns;
  rows.add(x, 1);
  columns.add(to_channels_last(x), 1);
  ASSERT_EQ(rows.channels(), 5u);
  EXPECT_EQ(rows.count, 2 * 63);
  EXPECT_EQ(rows.min, columns.min);
  EXPECT_EQ(rows.max, columns.max);
  for (std::size_t c = 0; c < 5; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t i = 0; i < 63; ++i) {
        const double v = static_cast<double>(x.data<float>()[(n * 5 + c) * 63 + i]);
        sum += v, squares += v * v;
      }
    EXPECT_NEAR(rows.sum[c], sum, 1e-4);
    EXPECT_NEAR(columns.squares[c], squares, 1e-4);
  }
}

TEST(ChannelStatistics, ShiftAsIfTheValuesHadBeenShifted) {
  const Tensor x = random_tensor({1, 3, 40}, 3);
  Tensor moved = x;
  const std::vector<float> shift = {0.5f, -2, 0};
  for (std::size_t i = 0; i < 120; ++i) moved.mutate<float>()[i] -= shift[i / 40];
  ChannelStatistics a, b;
  a.add(x, 1);
  a.shift_by(shift);
  b.add(moved, 1);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_FLOAT_EQ(a.min[c], b.min[c]);
    EXPECT_NEAR(a.mean(c), b.mean(c), 1e-5);
    EXPECT_NEAR(a.mean_square(c), b.mean_square(c), 1e-4);
  }
}

// --- Choice ---

// Two layers whose channels differ a thousandfold.
Model uneven(const std::string& between) {
  Model model = random_model(
      "(float[1,3,6,6] x, float[4,3,1,1] a, float[4] b, float[5,4,1,1] c, float[5] d) => (float[] "
      "y)"
      " { p = Conv(x, a, b) q = " +
      between + " y = Conv(q, c, d) }");
  const auto scaled = [](Value& v, std::size_t of, bool rows) {
    Tensor t = v.constant();
    const std::size_t size = t.data<float>().size();
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t channel = rows ? i / of : i % of;
      t.mutate<float>()[i] *= std::pow(rows ? 10.0f : 0.1f, static_cast<float>(channel));
    }
    v.set_constant(std::move(t));
  };
  scaled(*model.graph().find("a"), 3, true);
  scaled(*model.graph().find("b"), 1, true);
  scaled(*model.graph().find("c"), 4, false);
  return model;
}

TEST(Rebalance, GivesEveryChannelItsLevels) {
  Model model = uneven("Relu(p)");
  const Model before = model.clone();
  Plan plan = draft_of(model);
  const Rebalanced done = rebalance(model, plan, random_samples({1, 3, 6, 6}), {.shift = false});
  ASSERT_EQ(done.equalization.groups.size(), 1u);
  EXPECT_GT(done.equalization.groups[0].alpha, 0);
  EXPECT_LT(done.equalization.groups[0].noise_ratio, 0.1);
  EXPECT_LT(done.equalization_deviation, 1e-5);
  EXPECT_TRUE(done.undone.empty());
  ASSERT_FALSE(plan.channels.empty());
  EXPECT_GT(plan.channels[0].scale[0], 100 * plan.channels[0].scale[3]);
  const Tensor x = random_tensor({1, 3, 6, 6}, 5);
  EXPECT_TRUE(close(output_of(model, x), output_of(before, x), 1e-4, 1e-5));
}

// Through a gate scales pass with a Mul in front of the Sigmoid.
TEST(Rebalance, PassesAGateWithAMul) {
  Model model = uneven("Identity(p)");
  Graph& graph = model.graph();
  Value& p = *graph.find("p");
  Value& q = *graph.find("q");
  graph.erase(*q.producer());
  Value& weight = graph.add_value("s", DType::f32, p.dims());
  graph.add_node("Sigmoid", "gate", {&p}, {&weight});
  graph.add_node("Mul", "swish", {&p, &weight}, {&q});
  infer_types(model);
  const Model before = model.clone();
  Plan plan = draft_of(model);
  Model alone = model.clone();
  Plan same = draft_of(alone);
  EXPECT_TRUE(rebalance(alone, same, random_samples({1, 3, 6, 6}), {.shift = false})
                  .equalization.groups.empty())
      << "a Mul needs a new draft";

  const Rebalanced done = rebalance(
      model, plan, random_samples({1, 3, 6, 6}),
      {.shift = false, .redraft = [](const Graph& changed, const auto&) {
         return draft(changed, read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
       }});
  ASSERT_EQ(done.equalization.groups.size(), 1u);
  EXPECT_EQ(done.equalization.groups[0].gates, 1u);
  EXPECT_LT(done.equalization.groups[0].noise_ratio, 0.2);
  EXPECT_LT(done.equalization_deviation, 1e-5);
  EXPECT_EQ(graph.node_count(), before.graph().node_count() + 1);
  EXPECT_NE(plan.find("p_unscaled"), nullptr) << "the new value is in the new draft";
  const Tensor x = random_tensor({1, 3, 6, 6}, 5);
  EXPECT_TRUE(close(output_of(model, x), output_of(before, x), 1e-4, 1e-5));
  Model again = before.clone();
  apply_channels(again, plan.channels);
  EXPECT_TRUE(close(output_of(again, x), output_of(model, x), 0, 0)) << "as the plan has it";
}

// The Mul lies along the channels of whatever layer makes what the gate reads.
TEST(ApplyChannels, ScalesAGateAlongItsChannels) {
  struct Gated {
    const char* graph;
    Shape input, factor;
  };
  for (const Gated& c :
       {Gated{"(float[1,2,4,4] x, float[3,2,1,1] a, float[2,3,1,1] b) => (float[] y)"
              " { p = Conv(x, a) s = Sigmoid(p) q = Mul(p, s) y = Conv(q, b) }",
              {1, 2, 4, 4},
              {3, 1, 1}},
        Gated{"(float[2,5,4] x, float[4,3] a, float[3,2] b) => (float[] y)"
              " { p = MatMul(x, a) s = Sigmoid(p) q = Mul(p, s) y = MatMul(q, b) }",
              {2, 5, 4},
              {3}},
        Gated{"(float[5,4] x, float[3,4] a, float[2,3] b) => (float[] y)"
              " { p = Gemm<transB = 1>(x, a) s = Sigmoid(p) q = Mul(p, s) y = "
              "Gemm<transB = 1>(q, b) }",
              {5, 4},
              {3}}}) {
    Model model = random_model(c.graph);
    const Tensor x = random_tensor(c.input);
    const Tensor before = output_of(model, x);
    const std::vector<float> scale = {1, 20, 0.5f};
    apply_channels(model, {{"p", {}, scale}, {"q", {}, scale}});
    EXPECT_TRUE(close(output_of(model, x), before, 1e-5, 1e-6)) << c.graph;
    EXPECT_EQ(model.graph().find("p_unscale")->constant().shape(), c.factor);
  }
}

// Two channels in front of a Clip to 0..6: one reaches the bound, the other stays far below it.
Model clipped() {
  Model model = random_model(
      "(float[1,2,4,4] x, float[2,2,1,1] a, float[2] b, float[2,2,1,1] c) => (float[] y)"
      " <float lo = {0}, float hi = {6}> { p = Conv(x, a, b) q = Clip(p, lo, hi) y = Conv(q, c) }");
  model.graph().find("a")->set_constant(Tensor::of<float>({2, 2, 1, 1}, {20, 0, 0, 0.01f}));
  model.graph().find("b")->set_constant(Tensor::of<float>({2}, {0, 0}));
  model.graph().find("c")->set_constant(Tensor::of<float>({2, 2, 1, 1}, {1, 100, 1, -100}));
  return model;
}

TEST(Rebalance, KeepsWhatAClipCutsOff) {
  Model model = clipped();
  const Model before = model.clone();
  Plan plan = draft_of(model);
  const Rebalanced done = rebalance(model, plan, random_samples({1, 2, 4, 4}), {});
  ASSERT_EQ(plan.channels.size(), 2u);
  EXPECT_EQ(plan.channels[1].scale[0], 1);    // reaches the bound
  EXPECT_GT(plan.channels[1].scale[1], 100);  // up to 6 with room to spare
  EXPECT_LT(plan.channels[1].scale[1], 600);
  const Tensor x = random_tensor({1, 2, 4, 4}, 5);
  EXPECT_TRUE(close(output_of(model, x), output_of(before, x), 1e-5, 1e-5));
  EXPECT_TRUE(done.undone.empty());
}

TEST(Rebalance, MovesTheMiddlesOfChannelsToZero) {
  Model model = random_model(
      "(float[1,3,6,6] x, float[4,3,1,1] a, float[4] b, float[4,3,1,1] e, float[4] f, "
      "float[5,4,1,1] c, float[5] d)"
      " => (float[] y) { p = Conv(x, a, b) q = Conv(x, e, f) s = Add(p, q) y = Conv(s, c, d) }");
  model.graph().find("b")->set_constant(Tensor::of<float>({4}, {40, -40, 5, 0}));
  const Model before = model.clone();
  Plan plan = draft_of(model);
  const Rebalanced done =
      rebalance(model, plan, random_samples({1, 3, 6, 6}), {.equalization = false});
  EXPECT_EQ(done.shifts.groups, 1u);
  EXPECT_EQ(done.shifts.channels.size(), 3u);
  EXPECT_LT(done.shifts.range_ratio, 0.5);
  const Tensor x = random_tensor({1, 3, 6, 6}, 5);
  EXPECT_TRUE(close(output_of(model, x), output_of(before, x), 1e-5, 1e-4));
}

TEST(Rebalance, IsUndoneWhenTheOutputsMove) {
  // The first sample never reaches the bound, the others would be cut off by a scale chosen from
  // it.
  Model model = clipped();
  Plan plan = draft_of(model);
  std::atomic<int> loads{0};
  const Samples growing{
      2, [&](std::size_t i) {  // larger values each time it is asked
        const float top = loads++ < 2 ? 1.0f : 400.0f;
        return std::vector<Tensor>{random_tensor({1, 2, 4, 4}, static_cast<unsigned>(i), 0, top)};
      }};
  const Tensor weights = model.graph().find("c")->constant();
  const Rebalanced done = rebalance(model, plan, growing, {.shift = false});
  ASSERT_EQ(done.undone.size(), 1u);
  EXPECT_NE(done.undone[0].find("equalization"), std::string::npos);
  EXPECT_TRUE(plan.channels.empty());
  EXPECT_TRUE(close(model.graph().find("c")->constant(), weights, 0, 0));
}

TEST(Rebalance, LeavesANetworkWithoutGroupsAlone) {
  Model model = random_model("(float[1,3] x, float[3,3] a) => (float[] y) { y = MatMul(x, a) }");
  Plan plan = draft_of(model);
  const Samples none{1, [](std::size_t) -> std::optional<std::vector<Tensor>> {
                       throw Error(Code::internal, "asked for a sample", "");
                     }};
  const Rebalanced done = rebalance(model, plan, none, {});
  EXPECT_TRUE(done.equalization.groups.empty());
  EXPECT_TRUE(plan.channels.empty());
}

TEST(Rebalance, DoesNotDependOnThreads) {
  std::vector<Json> plans;
  for (const std::size_t threads : {1, 2, 7}) {
    Model model = uneven("Relu(p)");
    Plan plan = draft_of(model);
    rebalance(model, plan, random_samples({1, 3, 6, 6}, 9), {.threads = threads});
    plans.push_back(to_json(plan));
  }
  EXPECT_EQ(plans[0], plans[1]);
  EXPECT_EQ(plans[0], plans[2]);
}

TEST(Rebalance, ADeadChannelKeepsItsScale) {
  Model model = uneven("Relu(p)");
  Tensor a = model.graph().find("a")->constant(), b = model.graph().find("b")->constant();
  for (std::size_t i = 9; i < 12; ++i) a.mutate<float>()[i] = 0;
  b.mutate<float>()[3] = 0;
  model.graph().find("a")->set_constant(std::move(a));
  model.graph().find("b")->set_constant(std::move(b));
  Plan plan = draft_of(model);
  rebalance(model, plan, random_samples({1, 3, 6, 6}), {.shift = false});
  ASSERT_FALSE(plan.channels.empty());
  EXPECT_EQ(plan.channels[0].scale[3], 1);
}

}  // namespace
}  // namespace intaglio
