// Carriers: constants that take up the scales of the channels that their node makes.
#include "calibration/refine/carrier.h"

#include <gtest/gtest.h>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;

Model model_of(const std::string& graph) { return testing::random_model(graph, 17); }

const Node& maker(const Model& model, const char* value) {
  return *model.graph().find(value)->producer();
}

const std::vector<float> scales = {1, 2, 0.5f, 4};

Tensor times_scales(Tensor t) {
  const auto values = t.mutate<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= scales[i % scales.size()];
  return t;
}

struct MakerCase {
  std::string name, body;
};

class EveryMaker : public ::testing::TestWithParam<MakerCase> {};

TEST_P(EveryMaker, ScalesItsResult) {
  const Model before =
      model_of("(float[2,3,4] x, float[4] k, float[4] b, float one) => (float[2,3,4] y) { " +
               GetParam().body + " }");
  Model after = before.clone();
  Node& node = *after.graph().find("y")->producer();
  const auto carrier = carrier_of(node);
  ASSERT_TRUE(carrier);
  EXPECT_TRUE(carrier->makes);
  EXPECT_EQ(carrier->channels, 4u);
  EXPECT_EQ(carrier->axis, 2);
  scale_constants(node, *carrier, scales);
  after.graph().verify();
  const std::vector<Tensor> x = {random_tensor({2, 3, 4}, 7)};
  EXPECT_TRUE(
      close(Executor(after.graph()).run(x)[0], times_scales(Executor(before.graph()).run(x)[0])));
}

INSTANTIATE_TEST_SUITE_P(Operators, EveryMaker,
                         ::testing::Values(MakerCase{"LayerNormalization",
                                                     "y = LayerNormalization(x, k, b)"},
                                           MakerCase{"WithoutBias", "y = LayerNormalization(x, k)"},
                                           MakerCase{"Mul", "y = Mul(x, k)"},
                                           MakerCase{"MulConstantFirst", "y = Mul(k, x)"},
                                           MakerCase{"MulByANumber", "y = Mul(x, one)"},
                                           MakerCase{"Div", "y = Div(x, k)"}),
                         [](const auto& c) { return c.param.name; });

class EveryPasser : public ::testing::TestWithParam<MakerCase> {};

TEST_P(EveryPasser, ScalesItsResultWhenItsDataIsScaled) {
  const Model before = model_of("(float[2,3,4] x, float[4] k, float one) => (float[2,3,4] y) { " +
                                GetParam().body + " }");
  Model after = before.clone();
  Node& node = *after.graph().find("y")->producer();
  const auto carrier = carrier_of(node);
  ASSERT_TRUE(carrier);
  EXPECT_FALSE(carrier->makes);
  scale_constants(node, *carrier, scales);
  const Tensor x = random_tensor({2, 3, 4}, 7);
  EXPECT_TRUE(close(Executor(after.graph()).run({{times_scales(x)}})[0],
                    times_scales(Executor(before.graph()).run({{x}})[0])));
}

INSTANTIATE_TEST_SUITE_P(Operators, EveryPasser,
                         ::testing::Values(MakerCase{"Add", "y = Add(x, k)"},
                                           MakerCase{"ConstantFirst", "y = Add(k, x)"},
                                           MakerCase{"ANumber", "y = Add(x, one)"},
                                           MakerCase{"Sub", "y = Sub(x, k)"}),
                         [](const auto& c) { return c.param.name; });

TEST(Carrier, LeavesOtherReadersOfAConstantAlone) {
  Model model = model_of(
      "(float[2,4] x, float[4] k) => (float[2,4] y, float[2,4] z) { y = Mul(x, k) z = Mul(x, k) }");
  const Model before = model.clone();
  Node& node = *model.graph().find("y")->producer();
  scale_constants(node, *carrier_of(node), scales);
  model.graph().verify();
  const std::vector<Tensor> x = {random_tensor({2, 4}, 7)};
  const auto was = Executor(before.graph()).run(x), is = Executor(model.graph()).run(x);
  EXPECT_TRUE(close(is[0], times_scales(was[0])));
  EXPECT_TRUE(close(is[1], was[1]));
}

TEST(Carrier, IsNothingThatDoesNotScale) {
  const auto is_carrier = [](const std::string& body) {
    const Model model = model_of(
        "(float[2,3,4] x, float[4] k, float[3,1] rows, float[1,1,1,4] deep) => (float[] y) { " +
        body + " }");
    return carrier_of(maker(model, "y")).has_value();
  };
  EXPECT_TRUE(is_carrier("y = Mul(x, k)"));
  EXPECT_FALSE(is_carrier("y = Sub(k, x)"));
  EXPECT_FALSE(is_carrier("y = Div(k, x)"));
  EXPECT_FALSE(is_carrier("y = Mul(x, x)"));
  EXPECT_FALSE(is_carrier("y = Mul(x, rows)"));  // along another axis
  EXPECT_FALSE(is_carrier("y = Mul(x, deep)"));  // makes axes
  EXPECT_FALSE(is_carrier("y = Relu(x)"));
  EXPECT_TRUE(is_carrier("y = LayerNormalization<axis = 2>(x, k)"));
  EXPECT_FALSE(is_carrier("s = Add(k, x) t = Relu(s) y = LayerNormalization<axis = 1>(t, k)"));
}

}  // namespace
}  // namespace intaglio
