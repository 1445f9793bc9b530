// Front ends whose small values matter.
#include "calibration/ranges/logarithms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/statistics/softmax_rows.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

// Values of a wide dynamic range, or evenly spread ones, from -1 to 1.
Statistics seen(bool wide) {
  Statistics s;
  s.histogram.emplace();
  std::vector<float> values;
  for (int i = -200; i <= 200; ++i) {
    const float even = static_cast<float>(i) / 200;
    values.push_back(wide ? std::pow(even, 7.0f) : even);
  }
  s.add(values);
  return s;
}

std::map<std::string, double> found(const std::string& behind, bool wide = true) {
  Model model = TextModel().typed(
      "(float[1,1,64] x) => (float[] y) <float[2,1,8] w = {1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8}, "
      "float[57,8] mel = {" +
      [] {
        std::string list = "1";
        for (int i = 1; i < 57 * 8; ++i) list += ",1";
        return list;
      }() +
      "}, float e = {0.5}, int64[1] last = {2}, int64[1] pairs = {1}> { c = Conv(x, w) " + behind +
      " }");
  const Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  Observations o;
  for (const ActivationPlan& a : plan.activations) o.values[a.name] = seen(wide);
  return before_logarithms(model.graph(), plan, o);
}

TEST(Logarithms, SpectraAreFoundBehindSquaresAndFilters) {
  EXPECT_TRUE(found("s = Mul(c, c) p = ReduceSum(s, pairs) y = Log(p)").contains("c"));
  EXPECT_TRUE(found("s = Mul(c, c) p = ReduceSum(s, pairs) y = Sqrt(p)").contains("c"));
  EXPECT_TRUE(found("a = Abs(c) y = Pow(a, e)").contains("c"));
  EXPECT_TRUE(found("y = Div(e, c)").contains("c"));
  const auto filtered = found("s = Mul(c, c) m = MatMul(s, mel) y = Log(m)");
  EXPECT_TRUE(filtered.contains("c"));
  EXPECT_TRUE(filtered.contains("m"));
}

TEST(Logarithms, EnergiesOfWindowsAreFoundAheadOfALogAlone) {
  EXPECT_TRUE(
      found("s = Mul(c, c) p = AveragePool<kernel_shape = [3]>(s) y = Log(p)").contains("c"));
  EXPECT_TRUE(found("s = Mul(c, c) p = ReduceMean<axes = [2]>(s) y = Log(p)").contains("c"));
  EXPECT_TRUE(found("s = Mul(c, c) p = ReduceMean<axes = [2]>(s) y = Sqrt(p)").empty());
}

TEST(Logarithms, EvenValuesLoseNothing) { EXPECT_TRUE(found("y = Log(c)", false).empty()); }

TEST(Logarithms, NormalizationsAndOtherArithmeticAreNone) {
  EXPECT_TRUE(found("y = Div(c, e)").empty());
  EXPECT_TRUE(found("r = Relu(c) y = MatMul(r, mel)").empty());
  EXPECT_TRUE(
      found("s = Mul(c, c) v = ReduceMean<axes = [2]>(s) d = Sqrt(v) y = Div(c, d)").empty());
  EXPECT_TRUE(found("s = Softmax(c) y = Log(s)").empty());
}

TEST(Logarithms, TheShareThatIsLostIsThatBelowHalfAStep) {
  EXPECT_NEAR(share_lost(seen(false)), 0, 0.01);
  EXPECT_GT(share_lost(seen(true)), 0.4);
  EXPECT_EQ(share_lost(Statistics{}), 0);
}

// --- What a Softmax sees ---

Model reads(const std::string& nodes) {
  return TextModel().typed("(float[2,3,4] x) => (float[2,3,4] y) {" + nodes + "}");
}

TEST(SoftmaxRows, TheAxisIsThatOfAllReaders) {
  const auto axis = [](const std::string& nodes) {
    return softmax_axis(*reads(nodes).graph().find("x"));
  };
  EXPECT_EQ(axis("y = Softmax(x)"), 2);
  EXPECT_EQ(axis("y = Softmax<axis = 1>(x)"), 1);
  EXPECT_EQ(axis("a = Softmax(x) b = Softmax(x) y = Add(a, b)"), 2);
  EXPECT_EQ(axis("a = Softmax(x) b = Softmax<axis = 0>(x) y = Add(a, b)"), std::nullopt);
  EXPECT_EQ(axis("a = Softmax(x) y = Add(a, x)"), std::nullopt);
}

TEST(SoftmaxRows, MaskedElementsEndBelowTheLargest) {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor x(DType::f32, {2, 3});
  const std::vector<float> values = {1, 5, -3e38f, -inf, 2, -30};
  std::ranges::copy(values, x.mutate<float>().begin());
  EXPECT_EQ(seen_by_softmax(x, 1), (std::vector<float>{1, 5, -15, -18, 2, -18}));
  EXPECT_EQ(seen_by_softmax(x, 0), (std::vector<float>{1, -19, 5, 2, -50, -30}))
      << "along the other axis";
}

TEST(SoftmaxRows, RowsThatAreMaskedAsAWholeSayNothing) {
  Tensor x(DType::f32, {3, 2});
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {-inf, -inf, -1e4f, -1.0001e4f, 3, 1};
  std::ranges::copy(values, x.mutate<float>().begin());
  EXPECT_EQ(seen_by_softmax(x, 1), (std::vector<float>{3, 1}));
}

}  // namespace
}  // namespace intaglio
