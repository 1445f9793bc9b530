// The float model of a result computes what the Q/DQ model does without the pairs of activations.
#include "lib/rewrite/float_model.h"

#include <gtest/gtest.h>

#include "lib/rewrite/qdq.h"
#include "tests/rewrite/support.h"

namespace intaglio {
namespace {

using testing::count;
using testing::model_of;
using testing::plan_of;

// The pairs around values that are no constants go.
void drop_pairs_of_activations(Model& model) {
  Graph& graph = model.graph();
  for (Node* node : graph.nodes()) {
    if (!node->is("DequantizeLinear") || node->input(0)->is_constant()) continue;
    Node* quantize = node->input(0)->producer();
    Value &from = *quantize->input(0), &to = *node->output(0);
    graph.erase(*node);
    graph.erase(*quantize);
    if (to.is_output())
      graph.merge_into_output(from, to);
    else
      graph.replace_uses(to, from);
  }
}

Tensor run(const Model& model, const Tensor& x) {
  return Executor(model.graph()).run({{x}}).front();
}

// But for the order of sums: products with constant weights have kernels of their own.
void expect_twins(const std::string& graph, const Target& target, const Tensor& x) {
  const Model model = model_of(graph);
  const Plan plan = plan_of(model, target);
  Model pairs = model.clone(), floats = model.clone();
  write_qdq(pairs, plan);
  drop_pairs_of_activations(pairs);
  write_float_model(floats, plan);
  EXPECT_EQ(count(floats, "DequantizeLinear"), 0);
  EXPECT_EQ(count(floats, "QuantizeLinear"), 0);
  EXPECT_TRUE(testing::close(run(floats, x), run(pairs, x), 1e-6, 0));
  EXPECT_FALSE(testing::close(run(floats, x), run(model, x), 0, 1e-6)) << "nothing was rounded";
}

TEST(FloatModel, HasWeightsAndBiasesOfTheQuantizedOne) {
  const char* text =
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
      "<float[2,2,1,1] w = {1,-2.017,3.11,4}, float[2] b = {0.5003,-0.5}>"
      "{ c = Conv(x, w, b) y = Relu(c) }";
  const Tensor x = testing::random_tensor({1, 2, 3, 3}, 3);
  expect_twins(text, testing::onnxruntime_target(), x);
  expect_twins(text, read_target(testing::source_dir() / "configs" / "ncnn.json"), x);
}

TEST(FloatModel, AConstantOnTwoGridsBecomesTwo) {
  // Per channel along its first axis in the one, along its second in the other.
  const char* text =
      "(float[2,2] x) => (float[2,2] y)"
      "<float[2,2] w = {1,-2.017,3.11,0.4}>"
      "{ a = Gemm<transB=1>(x, w) r = Relu(a) y = Gemm(r, w) }";
  expect_twins(text, testing::onnxruntime_target(), testing::random_tensor({2, 2}, 3));
  Model model = model_of(text);
  write_float_model(model, plan_of(model));
  std::set<std::string> weights;
  for (const Node* node : model.graph().nodes())
    if (node->is("Gemm")) weights.insert(node->input(1)->name());
  EXPECT_EQ(weights.size(), 2u);
  EXPECT_TRUE(weights.contains("w")) << "one keeps the name";
}

TEST(FloatModel, TablesAreOnTheirGridToo) {
  const std::string text = "(int64[3] i) => (float[3,26] y) <" + testing::table_of_40_rows("t") +
                           "> { y = Gather(t, i) }";
  Model model = model_of(text);
  const Plan plan = testing::weights_plan_of(model);
  ASSERT_EQ(plan.quantized_nodes(), 1u);
  write_float_model(model, plan);
  const Tensor& table = model.graph().find("t")->constant();
  const QParams& params = plan.nodes.front().constants.front().params;
  for (std::size_t i = 0; i < 26; ++i) {
    const float steps = table.data<float>()[i] / params.scale[params.axis ? i : 0];
    EXPECT_NEAR(steps, std::round(steps), 1e-4) << i;
  }
}

TEST(FloatModel, RefusesAPlanOfAnotherModel) {
  const Plan plan =
      plan_of(model_of("(float[1,2,3,3] x) => (float[1,2,3,3] other)"
                       "<float[2,2,1,1] w = {1,-2,3,4}> { other = Conv(x, w) }"));
  Model model = model_of(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
      "<float[2,2,1,1] w = {1,-2,3,4}> { y = Conv(x, w) }");
  EXPECT_THROW(write_float_model(model, plan), Error);
}

}  // namespace
}  // namespace intaglio
