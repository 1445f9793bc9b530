#include "lib/rewrite/implied.h"

#include <gtest/gtest.h>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

// An activation in front of a pair with this zero point; whether it goes, and stays the same.
bool goes(const std::string& activation, int zero, const std::string& more = "",
          const std::string& outputs = "float[1,8] y") {
  Model model = TextModel().typed(
      "(float[1,8] x) => (" + outputs + ") <float s = {0.05}, int8 z = {" + std::to_string(zero) +
      "}, float lo = {0}, float hi = {6}, float wide = {20}>"
      "{ n = Neg(x) a = " +
      activation + " q = QuantizeLinear(a, s, z) y = DequantizeLinear(q, s, z) " + more + "}");
  const Tensor x = testing::random_tensor({1, 8}, 5, -20, 20);
  const auto before = Executor(model.graph()).run({{x}});
  const bool dropped = !drop_implied(model.graph()).empty();
  model.graph().verify();
  EXPECT_TRUE(testing::close(Executor(model.graph()).run({{x}}).front(), before.front(), 0));
  return dropped;
}

TEST(Implied, WhatSaturatesAtTheBoundsOfTheActivationGoes) {
  EXPECT_TRUE(goes("Relu(n)", -128));
  EXPECT_FALSE(goes("Relu(n)", -127)) << "there is a code below 0";
  EXPECT_TRUE(goes("Clip(n, lo, wide)", -128)) << "codes end at 12.75";
  EXPECT_FALSE(goes("Clip(n, lo, hi)", -128)) << "codes go on beyond 6";
  EXPECT_FALSE(goes("Clip(n, lo, wide)", 0));
}

TEST(Implied, WhatOthersReadOrAnotherFunctionStays) {
  EXPECT_FALSE(goes("Relu(n)", -128, "u = Neg(a) ", "float[1,8] y, float[1,8] u"));
  EXPECT_FALSE(goes("Relu(n)", -128, "", "float[1,8] y, float[1,8] a"));
  EXPECT_FALSE(goes("Sigmoid(n)", -128));
}

TEST(Implied, SaysWhy) {
  Model model = TextModel().typed(
      "(float[1,8] x) => (float[1,8] y) <float s = {0.05}, int8 z = {-128}>"
      "{ a = Relu(x) q = QuantizeLinear(a, s, z) y = DequantizeLinear(q, s, z) }");
  const auto dropped = drop_implied(model.graph());
  ASSERT_TRUE(dropped.contains("a"));
  EXPECT_NE(dropped.at("a").find("saturate"), std::string::npos);
}

}  // namespace
}  // namespace intaglio
