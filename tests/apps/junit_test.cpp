#include "apps/report/junit.h"

#include <gtest/gtest.h>

#include "lib/base/atomic_file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;

JudgedGate gate(double measured, const std::string& missed) {
  return {"min-sqnr", 20, {.of = "y", .measured = measured, .missed = missed}};
}

TEST(Junit, AGateThatHoldsIsACaseWithItsFigures) {
  const std::vector<JudgedGate> gates = {gate(31.25, "")};
  const auto cases = test_cases(gates);
  ASSERT_EQ(cases.size(), 1u);
  EXPECT_EQ(cases[0].name, "--min-sqnr 20 (output 'y')");
  EXPECT_EQ(cases[0].failure, "");
  EXPECT_EQ(cases[0].details, "asked: 20\nmeasured: 31.25\n");
}

TEST(Junit, AMissedGateSaysByHowMuch) {
  const std::vector<JudgedGate> gates = {gate(18.5, "'y' has 18.50 dB, --min-sqnr asks for 20")};
  EXPECT_EQ(test_cases(gates)[0].failure,
            "'y' has 18.50 dB, --min-sqnr asks for 20: missed by 1.50");
}

TEST(Junit, AGateWithoutAFigureSaysSo) {
  const std::vector<JudgedGate> gates = {
      {"min-boxes-f1", 0.5, {.missed = "neither model finds a box"}}};
  const auto cases = test_cases(gates);
  EXPECT_EQ(cases[0].failure, "neither model finds a box");
  EXPECT_TRUE(contains(cases[0].details, "measured: nothing")) << cases[0].details;
}

TEST(Junit, CountsAndEscapes) {
  const std::string text = junit_text(
      {"intaglio check",
       {{"model", "a \"b\" & c.onnx"}},
       {{"one", "", "fine"}, {"two <'&'>", "a < b: missed by 1", "]]> \x01 \xff \uFFFF"}}});
  EXPECT_TRUE(
      contains(text, "<testsuite name=\"intaglio check\" tests=\"2\" failures=\"1\" errors=\"0\""))
      << text;
  EXPECT_TRUE(contains(text, "value=\"a &quot;b&quot; &amp; c.onnx\"")) << text;
  EXPECT_TRUE(contains(text, "classname=\"intaglio.check\" name=\"two &lt;&#39;&amp;&#39;&gt;\""));
  EXPECT_TRUE(contains(text, "message=\"a &lt; b: missed by 1\">]]&gt; \uFFFD \uFFFD \uFFFD<"));
  const std::filesystem::path file = testing::fresh_folder() / "junit.xml";
  write_file(file, text);
  if (testing::run_command({"sh", "-c", "command -v xmllint"}).exit_code != 0)
    GTEST_SKIP() << "there is no xmllint";
  const testing::Ran ran = testing::run_command({"xmllint", "--noout", file.string()});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
}

}  // namespace
}  // namespace intaglio
