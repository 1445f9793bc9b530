// The weights writer: integers in the file, floats in the arithmetic.
#include "lib/rewrite/weights.h"

#include <gtest/gtest.h>

#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

TEST(Weights, StandBehindDequantizeLinear) {
  Model model = model_of(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y) <float[2,2,1,1] w = {1,-2,3,4}, float[2] b = "
      "{0.5,-0.5}>"
      "{ c = Conv(x, w, b) y = Relu(c) }");
  const Tensor x = random_tensor({1, 2, 3, 3});
  const Tensor before = Executor(model.graph()).run({{x}}).front();
  write_weights(model, weights_plan_of(model));
  EXPECT_EQ(ops_of(model), "DequantizeLinear Conv Relu");
  const Node* dq = model.graph().nodes().front();
  EXPECT_EQ(dq->attr_int("axis", 1), 0);
  EXPECT_EQ(dq->input(0)->constant().dtype(), DType::s8);
  EXPECT_EQ(model.graph().find("b")->constant().dtype(), DType::f32) << "a bias stays float";
  EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), before, 0, 0.05));
}

TEST(Weights, TablesAreLookedUpInCodes) {
  Model model = model_of("(int64[1,3] ids) => (float[1,3,26] y) <" + table_of_40_rows("e") +
                         "> { y = Gather(e, ids) }");
  const Tensor ids = Tensor::vector(std::vector<std::int64_t>{3, 39, 0}).reshaped({1, 3});
  const Tensor before = Executor(model.graph()).run({{ids}}).front();
  write_weights(model, weights_plan_of(model));
  EXPECT_EQ(ops_of(model), "Gather Cast Mul");
  const Node* mul = model.graph().outputs().front()->producer();
  EXPECT_EQ(mul->input(1)->constant().size(), 26) << "a scale per column";
  EXPECT_EQ(model.graph().find("e"), nullptr);
  const Tensor after = Executor(model.graph()).run({{ids}}).front();
  for (std::size_t i = 0; i < after.data<float>().size(); ++i)
    EXPECT_NEAR(after.data<float>()[i], before.data<float>()[i],
                0.18 * static_cast<double>(i % 26 + 1) / 127 / 2 + 1e-6);
}

TEST(Weights, RowsOfUnsignedTablesAreCentred) {
  Model model = model_of("(int64[1,3] ids) => (float[1,3,26] y) <" + table_of_40_rows("e") +
                         "> { y = Gather(e, ids) }");
  const Tensor ids = Tensor::vector(std::vector<std::int64_t>{3, 39, 0}).reshaped({1, 3});
  const Tensor before = Executor(model.graph()).run({{ids}}).front();
  Target target = onnxruntime_target();
  target.weights = {DType::u8, false, false, std::nullopt};
  write_weights(model, weights_plan_of(model, target));
  EXPECT_EQ(ops_of(model), "Gather Cast Sub Mul");
  EXPECT_TRUE(close(Executor(model.graph()).run({{ids}}).front(), before, 0, 0.03));
}

TEST(Weights, RecurrentOperators) {
  Model model = model_of(
      "(float[2,1,2] x) => (float[2,1,1,1] y) <float[1,4,2] w = {1,2,3,4,-5,6,7,8}, float[1,4,1] r "
      "= {1,2,-3,4}>"
      "{ y = LSTM <hidden_size = 1> (x, w, r) }");
  const Tensor x = random_tensor({2, 1, 2});
  const Tensor before = Executor(model.graph()).run({{x}}).front();
  write_weights(model, weights_plan_of(model));
  EXPECT_EQ(ops_of(model), "DequantizeLinear DequantizeLinear LSTM");
  EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), before, 0, 0.02));
}

// A plan of weights in half precision, which have no numbers.
Plan half_plan_of(const Model& model, DType type) {
  Target target = onnxruntime_target();
  target.weights.type = type;
  Plan plan = draft_weights(model.graph(), target);
  for (NodePlan& node : plan.nodes)
    for (ConstantPlan& constant : node.constants) constant.params = {type, std::nullopt, {}, {}};
  return plan;
}

TEST(Weights, HalfPrecisionStandsBehindCast) {
  for (const DType type : {DType::f16, DType::bf16}) {
    Model model = model_of(
        "(float[1,2,3,3] x, int64[1,3] ids) => (float[1,2,3,3] y, float[1,3,26] z) "
        "<float[2,2,1,1] w = {1,-2,3,70000}, " +
        table_of_40_rows("e") + "> { y = Conv(x, w) z = Gather(e, ids) }");
    const Tensor ids = Tensor::vector(std::vector<std::int64_t>{3, 39, 0}).reshaped({1, 3});
    const Tensor x = random_tensor({1, 2, 3, 3});
    const auto before = Executor(model.graph()).run({{x, ids}});
    write_weights(model, half_plan_of(model, type));
    EXPECT_EQ(ops_of(model), "Gather Cast Conv Cast");
    const Node* cast = model.graph().find("y")->producer()->input(1)->producer();
    ASSERT_EQ(cast->input(0)->constant().dtype(), type);
    const auto w = cast->input(0)->constant().to_vector<float>();
    EXPECT_EQ(w[3], type == DType::f16 ? 65504.0f : 70144.0f) << "not infinity";
    EXPECT_EQ(model.graph().find("e"), nullptr);
    const auto after = Executor(model.graph()).run({{x, ids}});
    EXPECT_TRUE(close(after[0], before[0], 0.1, 0.05));
    EXPECT_TRUE(close(after[1], before[1], type == DType::f16 ? 0x1p-11 : 0x1p-8, 0));
  }
}

TEST(Weights, NodesWithoutTheirFirstOutputAreKnownByTheNext) {
  Model model = model_of(
      "(float[2,1,2] x) => (float[1,1,1] h) <float[1,4,2] w = {1,2,3,4,-5,6,7,8}, float[1,4,1] r "
      "= {1,2,-3,4}> { h = Identity (x) }");
  Graph& graph = model.graph();
  Value& h = *graph.find("h");
  graph.erase(*h.producer());
  graph.add_node("LSTM", "last", {graph.find("x"), graph.find("w"), graph.find("r")}, {nullptr, &h})
      .set_attr("hidden_size", std::int64_t{1});
  const Plan plan = weights_plan_of(model);
  EXPECT_EQ(plan.nodes[0].output, "h");
  write_weights(model, plan);
  EXPECT_EQ(ops_of(model), "DequantizeLinear DequantizeLinear LSTM");
}

TEST(Weights, SmallTablesAndFloatOperatorsStay) {
  Model model = model_of(
      "(int64[3] ids, float[3,2] x) => (float[3,2] y) <float[2,2] e = {1,2,3,4}>"
      "{ g = Gather(e, ids) y = Add(g, x) }");
  const Plan plan = weights_plan_of(model);
  EXPECT_EQ(plan.quantized_nodes(), 0u);
  EXPECT_EQ(plan.nodes[0].reason, "looks up no constant float32 table of 1024 elements or more");
  EXPECT_EQ(plan.nodes[1].reason, "has no weights");
}

TEST(Weights, SixteenBitsNeedOpset21) {
  Model model =
      model_of("(float[1,2] x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { y = MatMul(x, w) }");
  Plan plan = weights_plan_of(model);
  plan.nodes[0].constants[0].scheme.type = DType::s16;
  EXPECT_THROW(write_weights(model, plan), Error);
}

TEST(Weights, APlanForAnotherModelIsRefused) {
  Model model =
      model_of("(float[1,2] x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { y = MatMul(x, w) }");
  Model other =
      model_of("(float[1,2] x) => (float[1,2] z) <float[2,2] v = {1,2,3,4}> { z = MatMul(x, v) }");
  EXPECT_THROW(write_weights(other, weights_plan_of(model)), Error);
}

}  // namespace
}  // namespace intaglio::testing
