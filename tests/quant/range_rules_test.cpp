// What the graph says about ranges.
#include "lib/quant/range_rules.h"

#include <gtest/gtest.h>

#include "lib/graph/model.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

TEST(RangeRules, KnownRangesOfProducers) {
  const Model m = TextModel().typed(
      "(float[4] x) => (float[4] s, float[4] t, float[4] r, float[4] c, float[4] n)"
      "<float lo = {-1}, float hi = {6}> {"
      " s = Sigmoid(x) t = Tanh(x) r = Relu(x) c = Clip(x, lo, hi) n = Neg(x) }");
  const Graph& g = m.graph();
  EXPECT_EQ(bound_of_producer(*g.find("s")).lo, 0);
  EXPECT_EQ(bound_of_producer(*g.find("s")).hi, 1);
  EXPECT_EQ(bound_of_producer(*g.find("t")).lo, -1);
  EXPECT_EQ(bound_of_producer(*g.find("r")).lo, 0);
  EXPECT_EQ(bound_of_producer(*g.find("c")).lo, -1);
  EXPECT_EQ(bound_of_producer(*g.find("c")).hi, 6);
  std::vector<std::string> notes;
  EXPECT_EQ(within({-0.25, 1.5}, bound_of_producer(*g.find("s")), notes), (Range{0, 1}));
  EXPECT_EQ(notes, (std::vector<std::string>{"known range of Sigmoid"}));
  EXPECT_EQ(within({-9, 9}, bound_of_producer(*g.find("n")), notes), (Range{-9, 9}));
  EXPECT_EQ(notes.size(), 1u);
}

TEST(RangeRules, ReadersThatClipBoundTheirInput) {
  const Model m = TextModel().typed(
      "(float[4] x, float[4] y) => (float[4] a, float[4] b, float[4] c)"
      "<float hi = {6}> {"
      " s = Add(x, y) a = Relu(s) t = Mul(x, y) b = Clip(t, , hi) u = Relu(t)"
      " v = Sub(x, y) c = Relu(v) w = Neg(v) z = Add(u, w) }");
  const Graph& g = m.graph();
  std::vector<std::string> notes;
  EXPECT_EQ(within({-5, 9}, bound_of_readers(*g.find("s")), notes), (Range{0, 9}));
  EXPECT_EQ(notes, (std::vector<std::string>{"bounded by its reader Relu"}));
  EXPECT_EQ(within({-5, 9}, bound_of_readers(*g.find("t")), notes), (Range{-5, 9}))
      << "Clip needs below, Relu above";
  EXPECT_EQ(within({-5, 9}, bound_of_readers(*g.find("v")), notes), (Range{-5, 9}))
      << "Neg reads it all";
  EXPECT_EQ(within({-5, 9}, bound_of_readers(*g.find("a")), notes), (Range{-5, 9}))
      << "leaves the graph";
  EXPECT_EQ(within({-5, -2}, bound_of_readers(*g.find("s")), notes), (Range{0, 0}))
      << "all of it is cut off";
}

TEST(RangeRules, SigmoidIsFlatFarFromZero) {
  const Model m = TextModel().typed(
      "(float[4] x, float[4] y) => (float[4] a, float[4] b) {"
      " s = Add(x, y) a = Sigmoid(s) t = Mul(x, y) u = Sigmoid(t) b = Mul(t, u) }");
  std::vector<std::string> notes;
  EXPECT_EQ(within({-50, 9}, bound_of_readers(*m.graph().find("s")), notes), (Range{-8, 8}));
  EXPECT_EQ(within({-50, 9}, bound_of_readers(*m.graph().find("s"), 16), notes), (Range{-12, 9}));
  EXPECT_EQ(within({-50, 9}, bound_of_readers(*m.graph().find("t")), notes), (Range{-50, 9}))
      << "a gate lets through what is large";
}

TEST(RangeRules, ScoresAreWhatBecomesAnOutput) {
  const Model m = TextModel().typed(
      "(float[1,2,4,4] x) => (float[1,2] y) <int64[2] shape = {1, 2}> {"
      " r = Relu(x) p = GlobalAveragePool(r) f = Reshape(p, shape) y = Softmax(f) }");
  EXPECT_EQ(scores(m.graph()), (std::unordered_set<std::string>{"y", "f", "p", "r"}));
}

TEST(OnlyPooled, IsWhatNobodyElseReads) {
  const Model m = TextModel().typed(
      "(float[1,2,4] x) => (float[1,2,3] p, float[1,2,3] q, float[1,2,4] n, float[1,2,3] r) {"
      " a = Sigmoid(x) p = MaxPool<kernel_shape=[2]>(a) q = MaxPool<kernel_shape=[2]>(a)"
      " b = Neg(x) r = MaxPool<kernel_shape=[2]>(b) n = Neg(b) }");
  EXPECT_TRUE(only_pooled(*m.graph().find("a")));
  EXPECT_FALSE(only_pooled(*m.graph().find("b"))) << "Neg reads it too";
  EXPECT_FALSE(only_pooled(*m.graph().find("p"))) << "leaves the graph";
}

TEST(SlopeOfReaders, IsThatOfALeakyReluAlone) {
  const auto slope = [](const std::string& rest) {
    const Model m =
        TextModel().model(std::string("(float[4] x) => (float[4] y) { a = Sigmoid(x) ") + rest);
    return slope_of_readers(*m.graph().find("a"));
  };
  EXPECT_FLOAT_EQ(static_cast<float>(slope("y = LeakyRelu<alpha=0.1>(a) }")), 0.1f);
  EXPECT_FLOAT_EQ(static_cast<float>(slope("y = LeakyRelu(a) }")), 0.01f);
  EXPECT_EQ(slope("y = LeakyRelu<alpha=2.0>(a) }"), 1);
  EXPECT_EQ(slope("y = Relu(a) }"), 1);
  EXPECT_EQ(slope("b = LeakyRelu(a) y = Add(a, b) }"), 1);
  EXPECT_FLOAT_EQ(
      static_cast<float>(slope("p = MaxPool<kernel_shape=[2]>(a) y = LeakyRelu<alpha=0.1>(p) }")),
      0.1f);
  EXPECT_EQ(slope("p = MaxPool<kernel_shape=[2]>(a) b = LeakyRelu(p) y = Add(p, b) }"), 1);
}

}  // namespace
}  // namespace intaglio
