// ONNX's own checker, and what it cannot judge.
#include "lib/io/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio {
namespace {

TEST(InvalidReason, IsThatOfTheChecker) {
  const char* const graph = "g (float[1,2] x) => (float[1,2] y) { y = Relu <kernex = 1> (x) }";
  const auto reason = invalid_reason(
      parse_model(std::string("<ir_version: 8, opset_import: [\"\" : 13]> ") + graph));
  ASSERT_TRUE(reason.has_value());
  EXPECT_NE(reason->find("kernex"), std::string::npos);
}

// Since opset 18 the axes of a reduction are an input; a library of opset 17 knows an attribute.
TEST(InvalidReason, DoesNotJudgeANewOpsetByTheRulesOfAnOlderOne) {
  EXPECT_EQ(invalid_reason(parse_model(R"(<ir_version: 8, opset_import: ["" : 18]>
    g (float[1,2] x) => (float[1,1] y) <int64[1] axes = {1}> { y = ReduceL2(x, axes) })")),
            std::nullopt);
}

// The library knows the standard operators under one of their two names.
TEST(InvalidReason, TakesBothNamesOfTheStandardDomain) {
  for (const char* op : {"Relu", "ai.onnx.Relu"})
    for (const char* import : {"", "ai.onnx"}) {
      const auto text = [&](const std::string& attributes) {
        return fmt::format(
            "<ir_version: 8, opset_import: [\"{}\" : 13]> g (float[2] x, bool c) => (float[2] y) "
            "{{ "
            "y = If (c) <then_branch = t () => (float[2] a) {{ a = {}{} (x) }}, "
            "else_branch = e () => (float[2] b) {{ b = Neg (x) }}> }}",
            import, op, attributes);
      };
      EXPECT_EQ(invalid_reason(parse_model(text(""))), std::nullopt) << op << " of " << import;
      EXPECT_NE(invalid_reason(parse_model(text(" <kernex = 1>"))), std::nullopt);
    }
}

// Runtimes take an output without a shape for one that is not known.
TEST(InvalidReason, TakesOutputsWithoutAShape) {
  EXPECT_EQ(invalid_reason(parse_model(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,2] x) => (float[] y) { y = Relu (x) })")),
            std::nullopt);
}

TEST(InvalidReason, ResultsMayBeOmitted) {
  Model model = parse_model(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,4] x, int64[1] k) => (int64[1,2] y) { y = Identity(x) })");
  testing::omit_first_output(model, "y", "TopK", {"x", "k"});
  EXPECT_EQ(invalid_reason(model), std::nullopt);
}

}  // namespace
}  // namespace intaglio
