#include <fmt/format.h>

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TextModel text_of(const std::string& graph, int opset = 17) {
  return TextModel().opset(opset).domain("com.microsoft").graph(graph);
}

Model expanded(const std::string& graph, const std::vector<Tensor>& feeds, int opset = 17) {
  return same_after({"contrib_expanded"}, text_of(graph, opset), feeds);
}

const Tensor image = random_tensor({1, 4, 6, 6}, 1), filters = random_tensor({4, 2, 3, 3}, 2),
             bias = random_tensor({4}, 3), row = random_tensor({2, 3, 8}, 4),
             matrix = random_tensor({8, 8}, 5), gains = random_tensor({8}, 6);

TEST(ContribExpanded, ConvolutionsWithActivations) {
  const std::string inputs =
      "(float[1,4,6,6] x, float[4,2,3,3] w, float[4] b) => (float[1,4,4,4] y) ";
  const auto after = [&](const std::string& attributes) {
    return ops_of(
        expanded(inputs + "{ y = com.microsoft.FusedConv <group = 2" + attributes + "> (x, w, b) }",
                 {image, filters, bias})
            .graph());
  };
  EXPECT_EQ(after(""), "Conv");
  EXPECT_EQ(after(", activation = \"Relu\""), "Conv Relu");
  EXPECT_EQ(after(", activation = \"Tanh\""), "Conv Tanh");
  EXPECT_EQ(after(", activation = \"LeakyRelu\", activation_params = [0.2]"), "Conv LeakyRelu");
  EXPECT_EQ(after(", activation = \"Clip\", activation_params = [-0.25, 0.5]"), "Conv Clip");
  EXPECT_EQ(after(", activation = \"HardSigmoid\", activation_params = [0.3, 0.4]"),
            "Conv HardSigmoid");
}

TEST(ContribExpanded, AConvolutionAddsBeforeItsActivation) {
  const Model model = expanded(
      R"((float[1,4,6,6] x, float[4,2,3,3] w, float[4] b, float[1,4,4,4] z) => (float[1,4,4,4] y) {
    y = com.microsoft.FusedConv <group = 2, activation = "Relu"> (x, w, b, z) })",
      {image, filters, bias, random_tensor({1, 4, 4, 4}, 9)});
  EXPECT_EQ(ops_of(model.graph()), "Conv Add Relu");
  const Node& conv = *find_op(model.graph(), "Conv");
  EXPECT_EQ(conv.inputs().size(), 3u);
  EXPECT_FALSE(conv.has("activation"));
  EXPECT_EQ(conv.output(0)->rank(), 4) << "the values between have types";
}

TEST(ContribExpanded, ProductsWithActivationsFactorsAndTransposedOperands) {
  EXPECT_EQ(
      ops_of(
          expanded("(float[3,8] a, float[8,8] b, float[8] c) => (float[3,8] y) { y = "
                   "com.microsoft.FusedGemm <transB = 1, alpha = 0.5, activation = \"LeakyRelu\", "
                   "activation_alpha = 0.3> (a, b, c) }",
                   {random_tensor({3, 8}), matrix, gains})
              .graph()),
      "Gemm LeakyRelu");
  EXPECT_EQ(ops_of(expanded("(float[2,3,8] a, float[2,3,8] b) => (float[2,3,3] y) "
                            "{ y = com.microsoft.FusedMatMul <transB = 1, alpha = 0.25> (a, b) }",
                            {row, random_tensor({2, 3, 8}, 8)})
                       .graph()),
            "Transpose MatMul Mul");
  EXPECT_EQ(ops_of(expanded("(float[2,8,3] a, float[8,8] b) => (float[2,3,8] y) "
                            "{ y = com.microsoft.FusedMatMul <transA = 1> (a, b) }",
                            {random_tensor({2, 8, 3}), matrix})
                       .graph()),
            "Transpose MatMul");
}

TEST(ContribExpanded, TheGeluFamily) {
  const std::string inputs = "(float[2,3,8] x, float[8] b) => (float[2,3,8] y) ";
  const auto after = [&](const std::string& node, int opset) {
    return ops_of(
        expanded(inputs + "{ y = com.microsoft." + node + " }", {row, gains}, opset).graph());
  };
  EXPECT_EQ(after("BiasGelu (x, b)", 20), "Add Gelu");
  EXPECT_EQ(after("BiasGelu (x, b)", 17), "Add Div Erf Add Mul Mul");
  EXPECT_EQ(after("Gelu (x)", 20), "Gelu");
  EXPECT_EQ(after("FastGelu (x, b)", 20), "Add Gelu");
  EXPECT_EQ(after("FastGelu (x)", 17), "Pow Mul Add Mul Tanh Add Mul Mul");
  EXPECT_EQ(after("QuickGelu (x)", 17), "Mul Sigmoid Mul");
  EXPECT_EQ(after("QuickGelu <alpha = 1.0> (x)", 17), "Sigmoid Mul");
}

TEST(ContribExpanded, SumsInFrontOfALayerNormalization) {
  const std::string inputs = "(float[2,3,8] x, float[8,8] w, float[8] g, float[8] b, float[8] c) ";
  const std::vector<Tensor> feeds = {row, matrix, gains, random_tensor({8}, 7),
                                     random_tensor({8}, 8)};
  EXPECT_EQ(
      ops_of(expanded(inputs + "=> (float[2,3,8] y) { y = com.microsoft.SkipLayerNormalization "
                               "<epsilon = 0.001> (x, x, g) }",
                      feeds)
                 .graph()),
      "Add LayerNormalization");
  // The bias goes to the product, on whichever side it is; the sum may be read too.
  const Model model = expanded(inputs + R"(=> (float[2,3,8] y, float[2,3,8] s) {
    p = MatMul (x, w)
    y, , , s = com.microsoft.SkipLayerNormalization (x, p, g, b, c) })",
                               feeds);
  EXPECT_EQ(ops_of(model.graph()), "MatMul Add Add LayerNormalization");
  EXPECT_TRUE(find_op(model.graph(), "Add")->input(0)->producer()->is("MatMul"));
}

TEST(ContribExpanded, TheProjectionOfAnAttention) {
  const Model model =
      expanded(R"((float[2,3,8] x, float[8,24] w, float[24] b, int32[2,3] m) => (float[2,3,8] y) {
    y = com.microsoft.Attention <num_heads = 2, do_rotary = 0, rotary_embedding_dim = 0,
                                 past_present_share_buffer = 0> (x, w, b, m) })",
               {row, random_tensor({8, 24}, 6), random_tensor({24}, 7),
                Tensor::of<std::int32_t>({2, 3}, {1, 1, 0, 1, 1, 1})});
  EXPECT_EQ(ops_of(model.graph()), "MatMul Add Split MultiHeadAttention");
  const Node& attention = *model.graph().find("y")->producer();
  EXPECT_EQ(attention.attrs(), std::vector<std::string>{"num_heads"});
}

TEST(ContribExpanded, WhatItDoesNotKnowStays) {
  for (const char* graph : {"(float[1,4,6,6] x, float[4,4,3,3] w) => (y) { y = "
                            "com.microsoft.FusedConv <activation = \"Mish\"> (x, w) }",
                            "(float[2,3,8] a, float[3,2,8] b) => (y) { y = "
                            "com.microsoft.FusedMatMul <transBatchA = 1> (a, b) }",
                            "(float a, float b) => (y) { y = my.FusedMatMul (a, b) }"}) {
    Model model = TextModel().opset(17).domain("com.microsoft").domain("my").model(graph);
    EXPECT_EQ(run_pass("contrib_expanded", model), 0) << graph;
  }
}

// onnxruntime writes LayerNormalization into models of older opsets; the standard does not know it.
TEST(ContribExpanded, RaisesTheOpsetForALayerNormalization) {
  Model model = TextModel()
                    .opset(12)
                    .domain("com.microsoft")
                    .model(
                        "(float[2,3,8] x, float[8] g) => (float[2,3,8] y) { y = "
                        "com.microsoft.SkipLayerNormalization (x, x, g) }");
  prepare(model);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(ops_of(model.graph()), "Add LayerNormalization");
}

}  // namespace
}  // namespace intaglio::testing
