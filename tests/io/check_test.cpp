// ONNX's own checker, and what it cannot judge.
#include "lib/io/check.h"

#include <gtest/gtest.h>

#include "tests/support/omitted.h"
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

TEST(InvalidReason, ResultsMayBeOmitted) {
  Model model = parse_model(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1,4] x, int64[1] k) => (int64[1,2] y) { y = Identity(x) })");
  testing::omit_first_output(model.graph(), "y", "TopK", {"x", "k"});
  EXPECT_EQ(invalid_reason(model), std::nullopt);
}

}  // namespace
}  // namespace intaglio
