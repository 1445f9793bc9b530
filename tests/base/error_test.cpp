#include "lib/base/error.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

TEST(Error, WithinPutsTheContextInFrontAndKeepsTheRest) {
  const Error inner(Code::model, "Conv node 'a': no weights", "Export again.");
  const Error outer = inner.within("m.onnx");
  EXPECT_STREQ(outer.what(), "m.onnx: Conv node 'a': no weights");
  EXPECT_EQ(outer.code(), Code::model);
  EXPECT_EQ(outer.remedy(), "Export again.");
}

TEST(Error, AnInterruptHasNoPlace) {
  const Error inner(Code::interrupted, "interrupted");
  EXPECT_STREQ(inner.within("Loop node 'a'").what(), "interrupted");
}

TEST(Error, CodesAreTheExitCodesThatScriptsRelyOn) {
  const auto number = [](Code code) { return static_cast<int>(code); };
  EXPECT_EQ(number(Code::internal), 1);
  EXPECT_EQ(number(Code::usage), 2);
  EXPECT_EQ(number(Code::config), 3);
  EXPECT_EQ(number(Code::io), 4);
  EXPECT_EQ(number(Code::model), 5);
  EXPECT_EQ(number(Code::unsupported), 6);
  EXPECT_EQ(number(Code::data), 7);
  EXPECT_EQ(number(Code::accuracy), 8);
  EXPECT_EQ(number(Code::interrupted), 130);
}

}  // namespace
}  // namespace intaglio
