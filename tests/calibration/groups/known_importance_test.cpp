// What normalizations say of the inputs of products.
#include "calibration/groups/known_importance.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"
#include "tests/support/text_model.h"

namespace intaglio::testing {
namespace {

Model model_of(const std::string& nodes, int opset = 23) {
  return TextModel().ir(10).opset(opset).typed(
      "(float[2,4] x) => (float[2,4] y) <float[4] g = {1,2,0,1}, float[4] b = {0,0,0,0}> { " +
      nodes + " }");
}

void expect_scales(const Model& model) {
  const auto found = known_importance(*model.graph().find("h"), 4);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_NEAR(found[0], 1 / 1.5 + 0.01, 1e-6);
  EXPECT_NEAR(found[1], 4 / 1.5 + 0.01, 1e-6);
  EXPECT_NEAR(found[2], 0.01, 1e-6);
}

TEST(KnownImportance, OfNormalizations) {
  expect_scales(model_of("h = LayerNormalization(x, g, b) y = Identity(h)", 17));
  expect_scales(model_of("h = RMSNormalization(x, g) y = Identity(h)"));
}

TEST(KnownImportance, OfOnesTakenApart) {
  expect_scales(model_of(
      "s = Mul(x, x) r = Sqrt(s) q = Reciprocal(r) n = Mul(x, q) h = Mul(g, n) y = Identity(h)"));
  expect_scales(model_of("s = Mul(x, x) r = Sqrt(s) n = Div(x, r) h = Mul(n, g) y = Identity(h)"));
  expect_scales(TextModel().ir(10).opset(23).typed(
      "(float[2,4] x) => (float[2,4] y) <float[4] g = {1,2,0,1}, float[1] one = {1}> { "
      "s = Mul(x, x) r = Sqrt(s) q = Div(one, r) n = Mul(x, q) h = Mul(g, n) y = Identity(h) }"));
}

TEST(KnownImportance, NothingOfOthers) {
  for (const char* nodes : {"h = Relu(x) y = Identity(h)", "h = Mul(x, g) y = Identity(h)"})
    EXPECT_TRUE(known_importance(*model_of(nodes).graph().find("h"), 4).empty()) << nodes;
  EXPECT_TRUE(
      known_importance(
          *model_of("h = LayerNormalization(x, g, b) y = Identity(h)", 17).graph().find("h"), 8)
          .empty())
      << "of another width";
}

}  // namespace
}  // namespace intaglio::testing
