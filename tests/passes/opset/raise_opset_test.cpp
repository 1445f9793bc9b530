#include <fmt/format.h>

#include "lib/graph/codec.h"
#include "lib/passes/opset/rules.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TextModel text_of(int opset, std::string_view signature, std::string_view body) {
  return TextModel().opset(opset).graph(fmt::format("{} {{ {} }}", signature, body));
}

// Raises and compares with what the kernels of the old opset say.
Model raised(int opset, std::string_view signature, std::string_view body,
             const std::vector<Tensor>& feeds) {
  Model model = same_after({"opset_raised"}, text_of(opset, signature, body), feeds);
  EXPECT_EQ(model.opset(), 13);
  return model;
}

TEST(OpsetRaised, RulesAreOrdered) {
  for (std::size_t i = 1; i < opset_rules().size(); ++i)
    EXPECT_LE(opset_rules()[i - 1].since, opset_rules()[i].since) << opset_rules()[i].op;
}

TEST(OpsetRaised, LeavesNewerModelsAlone) {
  Model model = text_of(13, "(float[2] x) => (float[2] y)", "y = Relu(x)").model();
  EXPECT_EQ(run_pass("opset_raised", model), 0);
  EXPECT_EQ(run_pass("opset_raised", model, {.min_opset = 11}), 0);
  EXPECT_EQ(model.opset(), 13);
}

// "" and "ai.onnx" name the same operators; readers that tell them apart want one of them.
TEST(OpsetRaised, StandardOperatorsGoByTheirPlainName) {
  Model model =
      TextModel().opset(0).domain("ai.onnx", 13).model(R"((float[2] x, bool c) => (float[2] y) {
      t = Neg (x)
      y = ai.onnx.If (c) <then_branch = a () => (float[2] p) { p = ai.onnx.Relu (t) },
                          else_branch = b () => (float[2] q) { q = Neg (t) }> })");
  prepare(model);
  const onnx::ModelProto message = to_proto(model);
  ASSERT_EQ(message.opset_import_size(), 1);
  EXPECT_EQ(message.opset_import(0).domain(), "");
  EXPECT_EQ(message.DebugString().find("ai.onnx"), std::string::npos);
}

TEST(OpsetRaised, GoesToTheFloor) {
  Model model =
      text_of(13, "(float[2,3] x) => (float[2,1] y)", "y = ReduceMax <axes = [1]> (x)").model();
  EXPECT_EQ(run_pass("opset_raised", model, {.min_opset = 21}), 2);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.ir_version(), 10);
  EXPECT_EQ(model.graph().nodes()[0]->inputs().size(), 2u);
  EXPECT_THROW(run_pass("opset_raised", model, {.min_opset = 22}), Error);
}

TEST(OpsetRaised, AttributesBecomeInputs) {
  const std::vector x{random_tensor({2, 3, 4}, 1, -2, 2)};
  const char* same = "(float[2,3,4] x) => (float[2,3,4] y)";
  const char* any = "(float[2,3,4] x) => (float y)";
  raised(6, same, "y = Clip <min = -0.5, max = 1.0> (x)", x);
  raised(9, same, "y = Clip <max = 0.25> (x)", x);
  raised(7, any, "a = Pad <pads = [0,1,0,0,0,2], value = 1.5> (x) y = ReduceMax <keepdims = 0> (a)",
         x);
  raised(9, any,
         "a = Slice <starts = [1,-2], ends = [3,1000], axes = [1,2]> (x) y = ReduceSum "
         "<keepdims=0> (a)",
         x);
  raised(11, "(float[2,3,4] x) => (float[2,1,4,1] y)",
         "a = ReduceSum <axes = [1]> (x) b = Squeeze <axes = [1]> (a) y = Unsqueeze <axes = [1, "
         "3]> (b)",
         x);
  raised(11, "(float[2,3,4] x) => (float[2,1,4] y, float[2,2,4] z)",
         "y, z = Split <axis = 1, split = [1, 2]> (x)", x);
  raised(11, "(float[2,3,4] x) => (float[2,3,2] y, float[2,3,2] z)", "y, z = Split <axis = 2> (x)",
         x);
  raised(9, "(float[2,3,4] x) => (float[2,3,2] y, int64[2,3,2] z)", "y, z = TopK <k = 2> (x)", x);
  raised(4, "(float[2,3,4] x) => (float[4,6] y)", "y = Reshape <shape = [4, 6]> (x)", x);
  raised(7, same, "y = Dropout <ratio = 0.5> (x)", x);
}

TEST(OpsetRaised, DefaultBoundsAreOmitted) {
  Model model = text_of(6, "(float[2] x) => (float[2] y)", "y = Clip <min = 0.0> (x)").model();
  run_pass("opset_raised", model);
  const Node* clip = find_op(model.graph(), "Clip");
  EXPECT_EQ(clip->inputs().size(), 2u);
  EXPECT_TRUE(clip->attrs().empty());
}

TEST(OpsetRaised, SoftmaxAlongOneAxis) {
  const auto axis_of = [](int opset, std::string_view dims, std::string_view attrs) {
    Model model = text_of(opset, fmt::format("(float[{}] x) => (float[{}] y)", dims, dims),
                          fmt::format("y = Softmax {} (x)", attrs))
                      .typed();
    run_pass("opset_raised", model);
    EXPECT_EQ(ops_of(model.graph()), "Softmax") << dims << attrs;
    return model.graph().nodes()[0]->attr_int("axis");
  };
  EXPECT_EQ(axis_of(7, "N,10", ""), -1);
  EXPECT_EQ(axis_of(7, "1,1000,1,1", ""), 1);
  EXPECT_EQ(axis_of(7, "N,M,2", "<axis = 2>"), -1);
  EXPECT_EQ(axis_of(11, "N,M,2", "<axis = -1>"), -1);
  EXPECT_EQ(axis_of(7, "2,1,5", ""), -1);
  EXPECT_EQ(axis_of(11, "2,5,1", "<axis = -2>"), 1);
}

TEST(OpsetRaised, SoftmaxOverSeveralAxes) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const Model model = raised(9, "(float[2,3,4] x) => (float[2,3,4] y)",
                               fmt::format("y = {}(x)", op), {random_tensor({2, 3, 4})});
    EXPECT_EQ(ops_of(model.graph()), fmt::format("Flatten {} Shape Reshape", op));
  }
}

TEST(OpsetRaised, ResizeAndUpsample) {
  const std::vector x{random_tensor({1, 2, 3, 4})};
  const char* twice = "(float[1,2,3,4] x) => (float[1,2,6,8] y)";
  for (const char* mode : {"nearest", "linear"}) {
    Model model = raised(
        9, twice,
        fmt::format(
            "s = Constant <value = float[4] {{1, 1, 2, 2}}> () y = Upsample <mode = \"{}\"> (x, s)",
            mode),
        x);
    const Node* resize = find_op(model.graph(), "Resize");
    ASSERT_NE(resize, nullptr);
    EXPECT_EQ(resize->attr_string("coordinate_transformation_mode"), "asymmetric");
    raised(7, twice,
           fmt::format("y = Upsample <mode = \"{}\", scales = [1.0, 1.0, 2.0, 2.0]> (x)", mode), x);
  }
  raised(10, "(float[1,2,3,4] x) => (float[1,2,1,2] y)",
         "s = Constant <value = float[4] {1, 1, 0.6, 0.6}> () y = Resize(x, s)", x);
}

TEST(OpsetRaised, ResizeOf11WithEmptyInputs) {
  const Model model = raised(11, "(float[1,1,2,2] x) => (float[1,1,4,4] y)",
                             R"(e = Constant <value = float[0] {}> ()
      z = Constant <value_ints = [1, 1, 4, 4]> ()
      y = Resize <mode = "linear"> (x, e, e, z))",
                             {random_tensor({1, 1, 2, 2})});
  EXPECT_EQ(find_op(model.graph(), "Resize")->input(1), nullptr);
  EXPECT_EQ(find_op(model.graph(), "Resize")->input(2), nullptr);
}

// The kernels speak numpy's broadcasting only: expected values instead of a run before.
TEST(OpsetRaised, OldBroadcasting) {
  const auto run = [](std::string_view signature, std::string_view body,
                      std::vector<Tensor> feeds) {
    Model model = text_of(6, signature, body).typed();
    run_pass("opset_raised", model);
    for (const Node* node : model.graph().nodes()) EXPECT_FALSE(node->has("broadcast"));
    return Executor(model.graph()).run(feeds)[0].to_vector<float>();
  };
  const Tensor x = Tensor::of<float>({1, 2, 2}, {1, 2, 3, 4}), b = Tensor::of<float>({2}, {10, 20});
  const char* signature = "(float[1,2,2] x, float[2] b) => (float[1,2,2] y)";
  EXPECT_EQ(run(signature, "y = Add <broadcast = 1, axis = 1> (x, b)", {x, b}),
            (std::vector<float>{11, 12, 23, 24}));
  EXPECT_EQ(run(signature, "y = Mul <broadcast = 1> (x, b)", {x, b}),
            (std::vector<float>{10, 40, 30, 80}));
  EXPECT_EQ(run(signature, "n = Neg(x) y = PRelu(n, b)", {x, b}),
            (std::vector<float>{-10, -20, -60, -80}));
}

TEST(OpsetRaised, OldForms) {
  Model model = text_of(1, "(float[1,2,4,4] x) => (float y)", R"(
      a = Relu <consumed_inputs = [0]> (x)
      b = Cast <to = "FLOAT"> (a)
      c = Pad <paddings = [0,0,1,1,0,0,1,1]> (b)
      n = Constant <value = float {2}> ()
      k = Constant <value = float {1}> ()
      d = Tile(c, n, k)
      e = Concat(d, d)
      f = Upsample <width_scale = 2.0, height_scale = 3.0, mode = "bilinear"> (e)
      g = GlobalLpPool <p = 2.0> (f)
      y = Selu(g))")
                    .typed();
  model.graph().find("c")->set_type(DType::f32, Dims(4));
  run_pass("opset_raised", model);
  const Graph& graph = model.graph();
  EXPECT_TRUE(find_op(graph, "Relu")->attrs().empty());
  EXPECT_EQ(find_op(graph, "Cast")->attr_int("to"), 1);
  EXPECT_EQ(find_op(graph, "Pad")->input(1)->constant().size(), 8);
  EXPECT_EQ(find_op(graph, "Tile")->input(1)->constant().to_vector<int>(),
            (std::vector{1, 2, 1, 1}));
  EXPECT_EQ(find_op(graph, "Concat")->attr_int("axis"), 1);
  EXPECT_EQ(find_op(graph, "Resize")->input(2)->constant().to_vector<float>(),
            (std::vector<float>{1, 1, 3, 2}));
  EXPECT_EQ(find_op(graph, "Resize")->attr_string("mode"), "linear");
  EXPECT_EQ(find_op(graph, "GlobalLpPool")->attr_int("p"), 2);
  EXPECT_FLOAT_EQ(find_op(graph, "Selu")->attr_float("gamma"), 1.0507f);
}

TEST(OpsetRaised, NestedGraphs) {
  Model model = text_of(11, "(bool c, float[1,2] x) => (float[N] y)", R"(
      y = If (c) <
        then_branch = a () => (float[2] p) { p = Squeeze <axes = [0]> (x) },
        else_branch = b () => (float[1] q) { q = ReduceSum <axes = [1], keepdims = 0> (x) }>)")
                    .model();
  EXPECT_EQ(run_pass("opset_raised", model), 3);
  const Graph& branch = find_op(model.graph(), "If")->attr_graph("then_branch");
  EXPECT_EQ(branch.nodes()[0]->inputs().size(), 2u);
}

TEST(OpsetRaised, RefusesWhatHasNoEquivalent) {
  const auto message = [](int opset, std::string_view body) -> std::string {
    Model model = text_of(opset, "(float[1,2,4,4] x, float[4] s) => (float y)", body).model();
    try {
      run_pass("opset_raised", model);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unsupported);
      EXPECT_FALSE(e.remedy().empty());
      return e.what();
    }
    return "no error";
  };
  EXPECT_NE(message(9, "y = ImageScaler <scale = 2.0> (x)").find("making 'y'"), std::string::npos);
  EXPECT_NE(message(8, "y = BatchNormalization <spatial = 0> (x, s, s, s, s)").find("spatial"),
            std::string::npos);
  EXPECT_NE(message(8, "a, m = Dropout(x) y = Add(a, m)").find("mask"), std::string::npos);
  EXPECT_NE(message(10, "k = Constant <value = float[4] {1,1,2,0.5}> () y = Resize(x, k)")
                .find("shrinks"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio::testing
