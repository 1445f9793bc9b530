#include "lib/graph/sound.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "lib/graph/model.h"
#include "tests/support/text_model.h"

namespace intaglio {
namespace {

// What is said of a graph; empty: it is sound.
std::string said_of(const std::string& graph, int opset = 14) {
  const Model model = testing::TextModel().opset(opset).model(graph);
  try {
    require_sound(model.graph());
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    return e.what();
  }
  return "";
}

std::string conv(const std::string& filters, const std::string& attributes) {
  return "(float[1,4,8,8] x) => (float[1,4,6,6] y) { w = Constant <value = float" + filters +
         "> () y = Conv <" + attributes + "> (x, w) }";
}

TEST(Sound, GroupsStridesAndDilationsArePositive) {
  const std::string filters = "[2,1,1,1] {1, 2}";
  EXPECT_EQ(said_of(conv(filters, "group = 2")), "");
  for (const char* attribute : {"group = 0", "group = -1", "strides = [1, 0]", "dilations = [0, 1]",
                                "kernel_shape = [0, 1]"}) {
    const std::string said = said_of(conv(filters, attribute));
    const std::string name = std::string(attribute).substr(0, std::string(attribute).find(' '));
    EXPECT_NE(said.find("Conv node making 'y'"), std::string::npos) << attribute << ": " << said;
    EXPECT_NE(said.find("'" + name + "'"), std::string::npos) << said;
    EXPECT_NE(said.find("1 or more"), std::string::npos) << said;
  }
}

TEST(Sound, FiltersHoldSomethingAndSplitIntoGroups) {
  EXPECT_NE(said_of(conv("[0,4,1,1] {}", "group = 1")).find("'w' of shape [0,4,1,1] hold nothing"),
            std::string::npos);
  EXPECT_NE(said_of(conv("[2,1] {1, 2}", "group = 1")).find("no spatial axis"), std::string::npos);
  EXPECT_NE(said_of(conv("[3,1,1,1] {1, 2, 3}", "group = 2")).find("the 2 groups"),
            std::string::npos);
}

TEST(Sound, FactorsOfAGemmAreMatrices) {
  const std::string said = said_of(
      "(float[1,4] x) => (float[1,4] y) { w = Constant <value = float[4] {1, 2, 3, 4}> () "
      "y = Gemm(x, w) }");
  EXPECT_NE(said.find("'w' of shape [4] is no matrix"), std::string::npos) << said;
}

TEST(Sound, NoMoreOutputsThanTheOperatorHas) {
  EXPECT_NE(said_of("(float[2,4] x) => (int64[2] y) { y, y2, y3 = Shape(x) }")
                .find("has 3 outputs: the operator has 1"),
            std::string::npos);
  EXPECT_EQ(said_of("(float[2,4] x, int64[1] k) => (int64[2,1] y) { v, y = TopK(x, k) }"), "");
  EXPECT_EQ(
      said_of("(float[2,4] x) => (float[2,2] a, float[2,2] b) { a, b = Split <axis = 1> (x) }"),
      "");
}

TEST(Sound, NestedGraphsAreLookedAt) {
  EXPECT_NE(said_of(R"((bool c, float[2,4] x) => (float[2] y) {
        y = If (c) <
          then_branch = t () => (float[2] a) { s, s2 = Shape(x) a = Cast <to = 1> (s) },
          else_branch = e () => (float[2] b) { b = Constant <value = float[2] {1, 2}> () }
        >
      })")
                .find("Shape node making 's'"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio
