#include <gtest/gtest.h>

#include <functional>

#include "tests/graph/model_text.h"

namespace intaglio {
namespace {

using testing::maker;
using testing::TextModel;

Model attributes() {
  return TextModel().domain("my", 2).model(R"((float[2] x) => (float[2] y) {
  y = my.Op <i = 3, f = 1.5, s = "text", is = [1, -2], fs = [0.5, 2.0], ss = ["a", "b"],
             t = float[2] {4, 5}> (x)
})");
}

std::string model_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    return e.what();
  }
  return {};
}

TEST(Node, ReadsAttributesOfEveryKind) {
  const Model model = attributes();
  const Node& node = maker(model, "y");
  EXPECT_EQ(node.op(), "Op");
  EXPECT_EQ(node.domain(), "my");
  EXPECT_EQ(node.opset(), 2);
  EXPECT_FALSE(node.is("Op"));
  EXPECT_EQ(node.attrs(), (std::vector<std::string>{"i", "f", "s", "is", "fs", "ss", "t"}));
  EXPECT_EQ(node.attr_int("i"), 3);
  EXPECT_EQ(node.attr_float("f"), 1.5f);
  EXPECT_EQ(node.attr_string("s"), "text");
  EXPECT_EQ(node.attr_ints("is"), (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(node.attr_floats("fs"), (std::vector<float>{0.5f, 2}));
  EXPECT_EQ(node.attr_strings("ss"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(node.attr_tensor("t").to_vector<float>(), (std::vector<float>{4, 5}));
  EXPECT_EQ(node.attr_int("none", 7), 7);
  EXPECT_EQ(node.attr_float("none", 0.5f), 0.5f);
  EXPECT_EQ(node.attr_string("none", "d"), "d");
  EXPECT_TRUE(node.attr_ints("none").empty());
}

TEST(Node, MissingAndMistypedAttributesNameTheNode) {
  const Model model = attributes();
  const Node& node = maker(model, "y");
  EXPECT_EQ(model_error([&] { node.attr_int("none"); }),
            "my.Op node making 'y': attribute 'none' is missing");
  EXPECT_EQ(model_error([&] { node.attr_int("f", 1); }),
            "my.Op node making 'y': attribute 'f' has the wrong type");
  EXPECT_NE(model_error([&] { node.attr_graph("i"); }), "");
  EXPECT_NE(model_error([&] { node.attr_tensor("none"); }), "");
}

TEST(Node, SettersReplace) {
  Model model = attributes();
  Node& node = maker(model, "y");
  node.set_attr("i", std::int64_t{8});
  node.set_attr("f", std::string_view("now a string"));
  node.set_attr("new", std::vector<std::int64_t>{1});
  node.set_attr("fs", std::vector<float>{3});
  node.erase_attr("s");
  node.set_name("renamed");
  node.set_op("Relu");
  EXPECT_EQ(node.attr_int("i"), 8);
  EXPECT_EQ(node.attr_string("f"), "now a string");
  EXPECT_EQ(node.attr_ints("new"), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(node.attr_floats("fs"), (std::vector<float>{3}));
  EXPECT_FALSE(node.has("s"));
  EXPECT_TRUE(node.is("Relu"));
  EXPECT_EQ(node.label(), "Relu node 'renamed'");
  EXPECT_EQ(node.opset(), 13);
}

TEST(Node, TheTwoNamesOfTheStandardOperatorsAreOne) {
  const Model model = TextModel()
                          .opset(0)
                          .domain("ai.onnx", 13)
                          .model("(float[2] x) => (float[2] y) { y = ai.onnx.Relu (x) }");
  const Node& node = maker(model, "y");
  EXPECT_TRUE(node.is("Relu"));
  EXPECT_EQ(node.opset(), 13);
  EXPECT_EQ(model.opset(), 13);
}

}  // namespace
}  // namespace intaglio
