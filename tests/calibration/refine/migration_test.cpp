// Migration: scales go where nothing else notices, by constants or by a copy, when they pay.
#include "calibration/refine/migration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibration/refine/channels.h"
#include "calibration/refine/rebalance.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_samples;
using testing::random_tensor;

Model random_model(const std::string& graph) { return testing::random_model(graph, 17); }

Plan draft_of(const Graph& graph, const std::map<std::string, std::string>& left_float = {}) {
  Selection selection;
  selection.left_float = left_float;
  return draft(graph, read_target(testing::source_dir() / "configs" / "onnxruntime.json"),
               selection);
}

std::vector<std::string> first_names(const std::vector<ChannelGroup>& groups) {
  std::vector<std::string> names;
  for (const ChannelGroup& group : groups) names.push_back(group.values.front().value->name());
  return names;
}

using Names = std::vector<std::string>;

// --- Where scales can go ---

Names carried(const std::string& body) {
  return first_names(carried_groups(
      random_model("(float[2,3,4] x, float[4] k, float[4] b, float[4,4] w, float[4,4] v, "
                   "float[4,4,1] c) => (float[] y) { " +
                   body + " }")
          .graph()));
}

TEST(CarriedGroups, AreReadByProductsAlone) {
  EXPECT_EQ(carried("n = LayerNormalization(x, k, b) y = MatMul(n, w)"), Names{"n"});
  EXPECT_EQ(carried("n = LayerNormalization(x, k, b) p = MatMul(n, w) q = MatMul(n, v) y = "
                    "Concat<axis = 2>(p, q)"),
            Names{"n"});
  EXPECT_EQ(carried("n = LayerNormalization(x, k, b) p = MatMul(n, w) y = Add(n, p)"), Names{});
  EXPECT_EQ(carried("n = LayerNormalization(x, k, b) y = Softmax(n)"), Names{});
  EXPECT_EQ(carried("n = Mul(x, k) p = Transpose<perm = [0, 2, 1]>(n) y = Conv(p, c)"), Names{});
}

TEST(CarriedGroups, ReachThroughWhatPassesScales) {
  EXPECT_EQ(carried("m = Mul(x, k) n = Add(m, b) y = MatMul(n, w)"), Names{"m"});
  EXPECT_EQ(carried("p = MatMul(x, w) q = Add(p, b) r = Relu(q) y = MatMul(r, v)"), Names{"p"});
  EXPECT_EQ(carried("p = MatMul(x, w) q = Add(p, b) r = Erf(q) y = MatMul(r, v)"), Names{});
  EXPECT_EQ(carried("p = MatMul(x, w) r = Relu(p) y = MatMul(r, v)"), Names{});  // equalization's
}

// Two heads; `weighed` is what the attention weighs.
std::string attention(const std::string& weighed) {
  return "<int64[4] split = {2, 6, 2, 4}, int64[3] join = {2, 6, 8}> { q = Reshape(x, split) r = "
         "Transpose<perm = [0, 2, 1, 3]>(q) s = Transpose<perm = [0, 2, 3, 1]>(q) d = MatMul(r, s) "
         "f = Softmax(d) e = MatMul(x, w) c = Add(e, b) g = Reshape(c, split) h = Transpose<perm = "
         "[0, 2, 1, 3]>(g) i = MatMul(f, " +
         weighed +
         ") j = Transpose<perm = [0, 2, 1, 3]>(i) z = Reshape(j, join) y = MatMul(z, v) }";
}

constexpr const char* inputs =
    "(float[2,6,8] x, float[8] k, float[8] b, float[8,8] w, float[8,8] v, float[8] a) => "
    "(float[2,6,8] y) ";

TEST(CarriedGroups, PassThroughAttention) {
  const Model heads = random_model(inputs + attention("h"));
  const auto groups = carried_groups(heads.graph());
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].width, 8u);
  Names names;
  for (const GroupValue& member : groups[0].values) {
    names.push_back(member.value->name());
    EXPECT_EQ(member.channels, groups[0].values[0].channels);
    EXPECT_EQ(member.axis, 2);
  }
  EXPECT_EQ(names, (Names{"e", "c", "z"}));
  // Channels that are summed over, and heads that meet others', keep their scales.
  EXPECT_EQ(first_names(carried_groups(random_model(inputs + attention("r")).graph())), Names{});
  const std::string met =
      "<int64[4] split = {2, 6, 2, 4}> { e = MatMul(x, w) c = Add(e, b) g = Reshape(c, split) f = "
      "Transpose<perm = [0, 1, 3, 2]>(g) i = MatMul(f, g) y = MatMul(i, w4) }";
  EXPECT_EQ(
      first_names(carried_groups(
          random_model("(float[2,6,8] x, float[8] b, float[8,8] w, float[4,4] w4) => (float[] y) " +
                       met)
              .graph())),
      Names{});
}

Names candidates(const std::string& body) {
  const Model model = random_model(
      "(float[2,3,4] x, float[4] k, float[4] b, float[4,4] w, float[4,4] v) => (float[] y) { " +
      body + " }");
  return first_names(copy_candidates(model.graph(), draft_of(model.graph())));
}

TEST(CopyCandidates, AreWhatTakesNoScales) {
  EXPECT_EQ(candidates("n = LayerNormalization(x, k, b) p = MatMul(n, w) y = Add(n, p)"),
            Names{"n"});
  EXPECT_EQ(candidates("n = Erf(x) y = MatMul(n, w)"), Names{"n"});
  EXPECT_EQ(candidates("n = LayerNormalization(x, k, b) y = MatMul(n, w)"), Names{});  // its own
  EXPECT_EQ(candidates("y = MatMul(x, w)"), Names{});  // a graph input
  EXPECT_EQ(candidates("n = Erf(x) y = MatMul(n, n)"), Names{});
}

TEST(CopyCandidates, AreNotMovedOnly) {
  const Model model = random_model(
      "(float[2,3,4] x, float[4,4] v, float[3,2] w) => (float[] y) { n = MatMul(x, v) p = "
      "Transpose<perm = [2, 1, 0]>(n) q = MatMul(p, w) r = Softmax(n) s = ReduceSum(r) y = Add(q, "
      "s) }");
  EXPECT_EQ(first_names(copy_candidates(model.graph(), draft_of(model.graph()))), Names{});
}

// --- What comes of it ---

// The first of eight channels is a hundred times wider than the rest.
Model outlying(const std::string& body, float wide = 100) {
  Model model = random_model(inputs + body);
  for (const char* name : {"k", "b"}) {
    Tensor t = model.graph().find(name)->constant();
    t.mutate<float>()[0] = wide;
    model.graph().find(name)->set_constant(std::move(t));
  }
  return model;
}

struct Migrated {
  Model before, after;
  Plan plan;
  Rebalanced done;
};

Migrated migrated(Model model, std::size_t threads = 1) {
  Model before = model.clone();
  Plan plan = draft_of(model.graph());
  RebalanceOptions options{
      .shift = false, .equalization = false, .migration = true, .threads = threads};
  options.redraft = [](const Graph& graph, const std::map<std::string, std::string>& left_float) {
    return draft_of(graph, left_float);
  };
  Rebalanced done = rebalance(model, plan, random_samples({2, 6, 8}), options);
  return {std::move(before), std::move(model), std::move(plan), std::move(done)};
}

void expect_unchanged(const Migrated& m) {
  EXPECT_LT(m.done.migration_deviation, 1e-5);
  EXPECT_TRUE(m.done.undone.empty());
  m.after.graph().verify();
  const std::vector<Tensor> x = {random_tensor({2, 6, 8}, 5)};
  EXPECT_TRUE(
      close(Executor(m.after.graph()).run(x)[0], Executor(m.before.graph()).run(x)[0], 1e-4, 1e-3));
}

const NodePlan& plan_of(const Plan& plan, const std::string& output) {
  return *std::ranges::find(plan.nodes, output, &NodePlan::output);
}

const std::string pre_norm = "{ n = LayerNormalization(x, k, b) p = MatMul(n, w) y = Erf(p) }";
const std::string post_norm =
    "{ n = LayerNormalization(x, k, b) p = MatMul(n, w) q = Erf(p) r = Erf(n) y = Add(q, r) }";

TEST(Migration, GoesIntoTheConstantsOfANormalization) {
  const Migrated m = migrated(outlying(pre_norm));
  expect_unchanged(m);
  ASSERT_EQ(m.done.migration.groups.size(), 1u);
  EXPECT_GT(m.done.migration.groups[0].alpha, 0);
  EXPECT_LT(m.done.migration.groups[0].noise_ratio, 0.5);
  EXPECT_TRUE(m.done.migration.copied.empty());
  EXPECT_EQ(m.after.graph().node_count(), m.before.graph().node_count());
  ASSERT_EQ(m.plan.channels.size(), 1u);
  EXPECT_GT(m.plan.channels[0].scale[1], 2 * m.plan.channels[0].scale[0]);
}

TEST(Migration, CopiesWhatOthersReadToo) {
  const Migrated m = migrated(outlying(post_norm));
  expect_unchanged(m);
  EXPECT_EQ(m.done.migration.copied, std::set<std::string>{"n"});
  EXPECT_EQ(m.after.graph().node_count(), m.before.graph().node_count() + 1);
  ASSERT_EQ(m.plan.channels.size(), 1u);
  EXPECT_TRUE(m.plan.channels[0].copied);
  EXPECT_EQ(m.plan.find("n"), nullptr) << "read in float";
  EXPECT_NE(m.plan.find("n_scaled"), nullptr);
  EXPECT_FALSE(plan_of(m.plan, "n_scaled").quantized);
  EXPECT_TRUE(plan_of(m.plan, "p").quantized);
}

TEST(Migration, KeepsTheArithmeticThatCarriesScalesInFloat) {
  const Migrated m =
      migrated(outlying("{ e = Add(x, x) m = Mul(e, k) n = Add(m, b) y = MatMul(n, w) }"));
  expect_unchanged(m);
  EXPECT_EQ(m.plan.channels.size(), 2u);
  EXPECT_TRUE(plan_of(draft_of(m.before.graph()), "n").quantized);
  for (const char* carrier : {"m", "n"}) {
    EXPECT_FALSE(plan_of(m.plan, carrier).quantized);
    EXPECT_NE(plan_of(m.plan, carrier).reason.find("scales the channels"), std::string::npos);
  }
  EXPECT_EQ(m.plan.find("m"), nullptr);
}

TEST(Migration, CopiesNothingThatIsMadeOnCodesAllTheSame) {
  const std::string body = "{ m = Mul(x, k) n = Add(m, b) p = MatMul(n, w) ";
  const Migrated quantized = migrated(
      outlying(body + "t = Transpose<perm = [0, 2, 1]>(n) r = MatMul(t, n) y = MatMul(p, r) }"));
  EXPECT_TRUE(quantized.done.migration.groups.empty());
  EXPECT_TRUE(quantized.plan.channels.empty());
  EXPECT_TRUE(plan_of(quantized.plan, "n").quantized);
  const Migrated in_float = migrated(outlying(body + "q = Erf(n) r = Softmax(p) y = Sub(r, q) }"));
  EXPECT_EQ(in_float.done.migration.copied, std::set<std::string>{"n"});
  EXPECT_FALSE(plan_of(in_float.plan, "n").quantized);
}

// The normalization is float: what reads codes of it does not keep the copy from its floats.
TEST(Migration, CopiesFloatsThatOthersReadAsCodes) {
  const Migrated m = migrated(outlying(
      "{ n = LayerNormalization(x, k, b) p = MatMul(n, w) t = Transpose<perm = [0, 2, 1]>(n) r = "
      "MatMul(t, n) y = MatMul(p, r) }"));
  expect_unchanged(m);
  EXPECT_EQ(m.done.migration.copied, std::set<std::string>{"n"});
  EXPECT_NE(m.plan.find("n"), nullptr);
}

TEST(Migration, PassesThroughAttention) {
  const Migrated m = migrated(outlying(attention("h")));
  expect_unchanged(m);
  EXPECT_EQ(m.plan.channels.size(), 3u);
  EXPECT_LT(m.done.migration.groups[0].noise_ratio, 0.8);
  EXPECT_EQ(m.after.graph().node_count(), m.before.graph().node_count());
}

TEST(Migration, LeavesEvenChannelsAlone) {
  for (const std::string& body : {pre_norm, post_norm}) {
    Model model = outlying(body);
    model.graph().find("k")->set_constant(Tensor::of<float>({8}, {1, 1, 1, 1, 1, 1, 1, 1}));
    model.graph().find("b")->set_constant(Tensor::of<float>({8}, {0, 0, 0, 0, 0, 0, 0, 0}));
    const Migrated m = migrated(std::move(model));
    EXPECT_TRUE(m.plan.channels.empty());
    EXPECT_EQ(m.after.graph().node_count(), m.before.graph().node_count());
  }
}

TEST(Migration, DoesNotDependOnThreads) {
  const Json one = to_json(migrated(outlying(post_norm), 1).plan);
  EXPECT_EQ(one, to_json(migrated(outlying(post_norm), 2).plan));
  EXPECT_EQ(one, to_json(migrated(outlying(post_norm), 7).plan));
}

TEST(Migration, IsRepeatedFromAPlan) {
  for (const std::string& body : {pre_norm, post_norm}) {
    const Migrated m = migrated(outlying(body));
    const Plan read = plan_from_json(to_json(m.plan), "test");
    Model again = m.before.clone();
    Plan plan = read;
    take_channels(again, plan, {});
    EXPECT_EQ(to_json(plan), to_json(m.plan));
    for (const NodePlan& node : plan.nodes) EXPECT_NE(again.graph().find(node.output), nullptr);
    const std::vector<Tensor> x = {random_tensor({2, 6, 8}, 5)};
    EXPECT_TRUE(
        close(Executor(again.graph()).run(x)[0], Executor(m.after.graph()).run(x)[0], 0, 0));
  }
}

TEST(ApplyChannels, RefusesCopiesThatDoNotFit) {
  Model model = outlying(post_norm);
  const std::vector<float> ones(8, 1.0f);
  EXPECT_THROW(apply_channels(model, {{"q", {}, ones, true}}), Error);  // no product reads it
  EXPECT_THROW(apply_channels(model, {{"n", {}, {1, 2}, true}}), Error);
  EXPECT_THROW(apply_channels(model, {{"n", ones, {}, false}}), Error);  // a shift
}

}  // namespace
}  // namespace intaglio
