#include "lib/graph/graph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/graph/model_text.h"

namespace intaglio {
namespace {

using testing::maker;
using testing::names;
using testing::nested_model;
using testing::small_model;
using testing::TextModel;
using testing::value;

template <typename F>
std::string internal_message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::internal);
    return e.what();
  }
  return {};
}

TEST(Graph, LinksNodesAndValuesBothWays) {
  const Model model = small_model();
  const Graph& graph = model.graph();
  graph.verify();
  EXPECT_EQ(names(graph.nodes()), (std::vector<std::string>{"s", "y"}));
  EXPECT_EQ(graph.node_count(), 2u);
  Value& s = value(model, "s");
  EXPECT_EQ(s.producer(), graph.nodes()[0]);
  ASSERT_EQ(s.uses().size(), 1u);
  EXPECT_EQ(s.uses()[0].node, graph.nodes()[1]);
  EXPECT_EQ(s.uses()[0].index, 0u);
  EXPECT_TRUE(value(model, "x").is_feed());
  EXPECT_TRUE(value(model, "w").is_constant());
  EXPECT_TRUE(value(model, "y").is_output());
  EXPECT_EQ(value(model, "x").dtype(), DType::f32);
  EXPECT_EQ(to_string(*value(model, "x").dims()), "[N,2]");
  EXPECT_EQ(graph.find("none"), nullptr);
  EXPECT_EQ(graph.nodes()[0]->input(7), nullptr);
}

TEST(Graph, CapturedNamesAreUses) {
  const Model model = nested_model();
  model.graph().verify();
  EXPECT_EQ(value(model, "x").uses().size(), 3u);  // Neg, then_g, inner_else
  EXPECT_EQ(value(model, "w").uses().size(), 2u);
  EXPECT_EQ(value(model, "c").uses().size(), 2u);
  Graph& inner = maker(model, "y").attr_graph("else_branch").nodes()[0]->attr_graph("then_branch");
  EXPECT_EQ(inner.resolve("s"), &value(model, "s"));
  EXPECT_EQ(inner.find("s"), nullptr);
  EXPECT_EQ(value(model, "s").uses()[0].node, inner.nodes()[0]);
  EXPECT_EQ(inner.owner()->graph().owner(), &maker(model, "y"));
}

TEST(Graph, NodesAreSortedAndTheOrderIsStable) {
  const Model model = TextModel().model(R"((float[2] x) => (float[2] y) {
  y = Add (b, c)
  a = Neg (x)
  c = Abs (a)
  d = Exp (x)
  b = Relu (a)
})");
  EXPECT_EQ(names(model.graph().nodes()), (std::vector<std::string>{"a", "c", "d", "b", "y"}));
}

// A node whose nested graph reads `s` two levels deep comes after the node that makes it, even when
// that was added last.
TEST(Graph, SortingLooksIntoNestedGraphs) {
  Model model = nested_model();
  Graph& graph = model.graph();
  Value& s = value(model, "s");
  graph.erase(maker(model, "s"));
  graph.add_node("Abs", "new", {&value(model, "x")}, {&s});
  graph.verify();
  EXPECT_EQ(names(graph.nodes()), (std::vector<std::string>{"s", "y"}));
}

TEST(Graph, ANestedGraphMayReturnAValueFromAround) {
  Model model = TextModel().model(R"((bool c, float[2] x) => (float[2] y) {
  s = Neg (x)
  y = If (c) <then_branch = t () => (float[2] s) {}, else_branch = e () => (float[2] x) {}>
})");
  Graph& graph = model.graph();
  Value& s = value(model, "s");
  EXPECT_TRUE(s.is_output());  // nobody may drop it
  graph.erase(maker(model, "s"));
  graph.add_node("Abs", "new", {&value(model, "x")}, {&s});
  graph.verify();
  EXPECT_EQ(names(graph.nodes()), (std::vector<std::string>{"s", "y"}));
}

TEST(Graph, NewNamesNeverCollide) {
  Model model = nested_model();
  Graph& graph = model.graph();
  EXPECT_EQ(graph.unique_name("fresh"), "fresh");
  EXPECT_EQ(graph.unique_name("x"), "x_1");
  EXPECT_EQ(graph.unique_name("i"), "i_1");  // a value two levels inside
  EXPECT_EQ(graph.unique_name(""), "value");
  Graph& inner = maker(model, "y").attr_graph("else_branch").nodes()[0]->attr_graph("then_branch");
  EXPECT_EQ(inner.unique_name("x"), "x_1");  // a value two levels around
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(seen.insert(graph.add_value("q").name()).second);
    EXPECT_TRUE(seen.insert(inner.add_constant("q", Tensor::scalar(1.0f)).name()).second);
    EXPECT_TRUE(seen.insert(graph.add_value("q_1").name()).second);
  }
  Value& x = value(model, "x");
  Node& a = graph.add_node("Neg", "n", {&x}, {&graph.add_value("a")});
  Node& b = graph.add_node("Neg", "n", {&x}, {&graph.add_value("b")});
  EXPECT_EQ(a.name(), "n");
  EXPECT_EQ(b.name(), "n_1");
  EXPECT_EQ(graph.add_node("Neg", "", {&x}, {&graph.add_value("c")}).name(), "");
}

TEST(Edit, AddNodeLinksAndKeepsOmittedPlaces) {
  Model model = small_model();
  Graph& graph = model.graph();
  Value& out = graph.add_value("out", DType::f32, Dims{{-1, "N"}, {2, ""}});
  Node& node = graph.add_node("Clip", "clip", {&value(model, "y"), nullptr, &value(model, "w")},
                              {&out}, "my.domain");
  EXPECT_EQ(node.domain(), "my.domain");
  EXPECT_EQ(node.inputs().size(), 3u);
  EXPECT_EQ(node.input(1), nullptr);
  EXPECT_EQ(out.producer(), &node);
  EXPECT_EQ(out.rank(), 2);
  graph.verify();
}

TEST(Edit, SetInputMovesTheUse) {
  Model model = small_model();
  Graph& graph = model.graph();
  Node& add = maker(model, "s");
  graph.set_input(add, 1, &value(model, "x"));
  EXPECT_TRUE(value(model, "w").uses().empty());
  EXPECT_EQ(value(model, "x").uses().size(), 2u);
  graph.set_input(add, 3, &value(model, "w"));
  EXPECT_EQ(add.inputs().size(), 4u);
  EXPECT_EQ(add.input(2), nullptr);
  graph.set_input(add, 0, nullptr);
  EXPECT_EQ(value(model, "x").uses().size(), 1u);
  graph.verify();
  graph.trim_inputs(add, 1);
  EXPECT_EQ(add.inputs().size(), 1u);
  EXPECT_TRUE(value(model, "w").uses().empty());
  graph.trim_inputs(add, 5);  // nothing to drop
  EXPECT_EQ(add.inputs().size(), 1u);
  graph.verify();
}

TEST(Edit, SetOutputTakesAnotherValue) {
  Model model = small_model();
  Graph& graph = model.graph();
  Node& relu = maker(model, "y");
  Value& y = value(model, "y");
  Value& raw = graph.add_value("raw");
  graph.set_output(relu, 0, raw);
  EXPECT_EQ(y.producer(), nullptr);
  EXPECT_NE(internal_message([&] { graph.verify(); }), "");  // nothing makes the output now
  graph.add_node("Neg", "", {&raw}, {&y});
  graph.verify();
  EXPECT_NE(internal_message([&] { graph.set_output(relu, 0, y); }), "");
  EXPECT_NE(internal_message([&] { graph.set_output(relu, 0, value(model, "w")); }), "");
  EXPECT_NE(internal_message([&] { graph.set_output(relu, 0, value(model, "x")); }), "");
}

TEST(Edit, ReplaceUsesReachesNestedGraphs) {
  Model model = nested_model();
  Graph& graph = model.graph();
  Value& x = value(model, "x");
  Value& other = graph.add_constant("other", Tensor::vector<float>({3, 4}));
  graph.replace_uses(x, other);
  EXPECT_TRUE(x.uses().empty());
  EXPECT_EQ(other.uses().size(), 3u);
  graph.verify();
  graph.replace_uses(other, other);
  EXPECT_EQ(other.uses().size(), 3u);
}

TEST(Edit, MergeIntoOutputKeepsTheNameOfTheOutput) {
  Model model = TextModel().model(R"((float[2] x) => (float[2] y) {
  s = Neg (x)
  side = Abs (s)
  y = Identity (s)
})");
  Graph& graph = model.graph();
  Node& neg = maker(model, "s");
  graph.erase(maker(model, "y"));
  graph.merge_into_output(value(model, "s"), value(model, "y"));
  graph.verify();
  EXPECT_EQ(graph.find("s"), nullptr);
  EXPECT_EQ(neg.output(0), &value(model, "y"));
  EXPECT_EQ(maker(model, "side").input(0), &value(model, "y"));
  EXPECT_NE(
      internal_message([&] { graph.merge_into_output(value(model, "x"), value(model, "y")); }), "");
}

TEST(Edit, EraseOfANodeUnlinksItAtAnyDepth) {
  Model model = nested_model();
  Graph& graph = model.graph();
  graph.erase(maker(model, "y"));
  EXPECT_TRUE(value(model, "s").uses().empty());  // was read two levels inside
  EXPECT_TRUE(value(model, "w").uses().empty());
  EXPECT_EQ(value(model, "x").uses().size(), 1u);
  EXPECT_EQ(value(model, "y").producer(), nullptr);
  graph.add_node("Identity", "", {&value(model, "s")}, {&value(model, "y")});
  graph.verify();
  EXPECT_EQ(names(graph.nodes()), (std::vector<std::string>{"s", "y"}));
}

TEST(Edit, EraseOfAValueWantsItUnused) {
  Model model = small_model();
  Graph& graph = model.graph();
  for (const char* name : {"x", "w", "s", "y"})
    EXPECT_NE(internal_message([&] { graph.erase(value(model, name)); }), "") << name;
  graph.set_input(maker(model, "s"), 1, nullptr);
  graph.erase(value(model, "w"));
  EXPECT_EQ(graph.find("w"), nullptr);
  graph.set_input(maker(model, "s"), 0, nullptr);
  graph.erase(value(model, "x"));
  EXPECT_TRUE(graph.inputs().empty());
  graph.verify();
  EXPECT_EQ(graph.add_value("w").name(), "w");  // the name is free again
}

TEST(Edit, InitializersThatAreInputsCanStopBeingOnes) {
  Model model = TextModel().opset(8).ir(3).model(
      "(float[2] x, float[2] w = {1, 2}) => (float[2] y) { y = Add (x, w) }");
  Graph& graph = model.graph();
  EXPECT_EQ(graph.inputs().size(), 2u);
  EXPECT_EQ(graph.feeds(), (std::vector<Value*>{&value(model, "x")}));
  EXPECT_FALSE(value(model, "w").is_feed());
  graph.drop_input(value(model, "w"));
  EXPECT_EQ(graph.inputs(), graph.feeds());
  EXPECT_NE(internal_message([&] { graph.drop_input(value(model, "x")); }), "");
  graph.verify();
  EXPECT_EQ(to_proto(model).graph().input_size(), 1);
}

TEST(Verify, FindsCyclesAndForeignValues) {
  Model model = small_model(), other = small_model();
  Graph& graph = model.graph();
  graph.set_input(maker(model, "s"), 0, &value(model, "y"));
  EXPECT_THROW(graph.verify(), Error);
  graph.set_input(maker(model, "s"), 0, &value(model, "x"));
  graph.verify();
  graph.set_input(maker(model, "s"), 0, &value(other, "x"));
  EXPECT_NE(internal_message([&] { graph.verify(); }).find("of a graph that it is not in"),
            std::string::npos);
  graph.set_input(maker(model, "s"), 0, &graph.add_value("nothing"));
  EXPECT_NE(internal_message([&] { graph.verify(); }).find("which nothing makes"),
            std::string::npos);
}

// A value inside a branch is invisible around it.
TEST(Verify, FindsAReadOfAnInnerValueFromOutside) {
  Model model = nested_model();
  Graph& graph = model.graph();
  Value* inner = maker(model, "y").attr_graph("then_branch").find("t");
  graph.add_node("Neg", "", {inner}, {&graph.add_value("z")});
  EXPECT_NE(internal_message([&] { graph.verify(); }), "");
}

}  // namespace
}  // namespace intaglio
