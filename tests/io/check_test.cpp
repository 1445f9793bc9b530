// ONNX's own checker, and what it cannot judge.
#include "lib/io/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/omitted.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

TEST(InvalidReason, IsThatOfTheChecker) {
  const auto reason = invalid_reason(
      TextModel().model("(float[1,2] x) => (float[1,2] y) { y = Relu <kernex = 1> (x) }"));
  ASSERT_TRUE(reason.has_value());
  EXPECT_NE(reason->find("kernex"), std::string::npos);
}

// Since opset 18 the axes of a reduction are an input; a library of opset 17 knows an attribute.
TEST(InvalidReason, DoesNotJudgeANewOpsetByTheRulesOfAnOlderOne) {
  EXPECT_EQ(
      invalid_reason(TextModel().opset(18).model(
          "(float[1,2] x) => (float[1,1] y) <int64[1] axes = {1}> { y = ReduceL2(x, axes) }")),
      std::nullopt);
}

// The library knows the standard operators under one of their two names.
TEST(InvalidReason, TakesBothNamesOfTheStandardDomain) {
  for (const char* op : {"Relu", "ai.onnx.Relu"})
    for (const char* import : {"", "ai.onnx"}) {
      const auto model = [&](const std::string& attributes) {
        return TextModel()
            .opset(0)
            .domain(import, 13)
            .model(fmt::format("(float[2] x, bool c) => (float[2] y) {{ y = If (c) <"
                               "then_branch = t () => (float[2] a) {{ a = {}{} (x) }}, "
                               "else_branch = e () => (float[2] b) {{ b = Neg (x) }}> }}",
                               op, attributes));
      };
      EXPECT_EQ(invalid_reason(model("")), std::nullopt) << op << " of " << import;
      EXPECT_NE(invalid_reason(model(" <kernex = 1>")), std::nullopt);
    }
}

// Runtimes take an output without a shape for one that is not known.
TEST(InvalidReason, TakesOutputsWithoutAShape) {
  EXPECT_EQ(invalid_reason(TextModel().model("(float[1,2] x) => (float[] y) { y = Relu (x) }")),
            std::nullopt);
}

TEST(InvalidReason, ResultsMayBeOmitted) {
  Model model =
      TextModel().model("(float[1,4] x, int64[1] k) => (int64[1,2] y) { y = Identity(x) }");
  testing::omit_first_output(model.graph(), "y", "TopK", {"x", "k"});
  EXPECT_EQ(invalid_reason(model), std::nullopt);
}

}  // namespace
}  // namespace intaglio
