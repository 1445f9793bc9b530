// The float rest in half precision: what is decided, where the Casts stand, and what it computes.
#include "lib/rewrite/float16.h"

#include <gtest/gtest.h>

#include <limits>

#include "lib/exec/infer.h"
#include "lib/passes/widen_halves.h"
#include "lib/quant/draft_float16.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/weights.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

constexpr auto conv_and_erf =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y, float[1,2,3,3] c) <float[2,2,1,1] w = {1,-2,3,4}>"
    "{ c = Conv(x, w) e = Erf(c) t = Tanh(e) y = Erf(t) }";

const NodePlan& plan_of_op(const Plan& plan, std::string_view op) {
  return *std::ranges::find_if(plan.nodes, [&](const NodePlan& n) { return n.op == op; });
}

Plan float16_plan(const Model& model) {
  Target target = onnxruntime_target();
  target.ops.erase("Tanh");  // between float operators it would stay float anyway
  Plan plan = plan_of(model, target);
  draft_float16(plan, model.graph(), target, false);
  return plan;
}

TEST(Float16, TheRestIsCastAndTheInterfaceStays) {
  Model model = model_of(conv_and_erf);
  Plan plan = float16_plan(model);
  EXPECT_FALSE(plan_of_op(plan, "Conv").precision) << "computes on codes";
  ASSERT_TRUE(plan_of_op(plan, "Erf").precision);
  EXPECT_EQ(plan_of_op(plan, "Erf").precision->type, DType::f16);
  write_qdq(model, plan);
  const Tensor x = random_tensor({1, 2, 3, 3});
  const auto before = Executor(model.graph()).run({{x}});
  write_float16(model, plan);
  EXPECT_EQ(count(model, "Cast"), 2) << "one on the way in, one before the graph output";
  EXPECT_EQ(model.graph().outputs()[0]->dtype(), DType::f32);
  const auto after = Executor(model.graph()).run({{x}});
  EXPECT_TRUE(close(after[0], before[0], 0x1p-9, 1e-6));
  EXPECT_FALSE(close(after[0], before[0], 0x1p-22, 0)) << "it is rounded";
  EXPECT_TRUE(close(after[1], before[1], 0, 0)) << "the quantized part is untouched";
}

TEST(Float16, FastKernelsGiveTheBitsOfTheReference) {
  Model model = model_of("(float[1,3,9,9] x) => (float[1,4,7,7] y) <float[4,3,3,3] w = {" + [] {
    std::string text;
    for (int i = 0; i < 108; ++i) text += (i ? "," : "") + std::to_string(0.01 * (i % 31 - 15));
    return text;
  }() + "}> { c = Conv(x, w) y = Relu(c) }");
  Target target = onnxruntime_target();
  Plan plan = draft_weights(model.graph(), target);
  draft_float16(plan, model.graph(), target, true);
  write_float16(model, plan);
  infer_types(model);
  EXPECT_EQ(ops_of(model), "Cast Conv Relu Cast");
  const Tensor x = random_tensor({1, 3, 9, 9});
  const Tensor slow = Executor(model.graph()).run({{x}}).front();
  ASSERT_TRUE(has_halves(model.graph()));
  Model chained = model.clone();
  widen_halves(model.graph(), /*round=*/true);
  const Tensor fast = Executor(model.graph()).run({{x}}).front();
  EXPECT_TRUE(close(fast, slow, 0x1p-10, 0x1p-20)) << "sums of another order, rounded to 11 bits";
  for (const float v : fast.data<float>())
    EXPECT_EQ(v, static_cast<float>(Half(v))) << "results are float16";
  widen_halves(chained.graph(), /*round=*/false);
  const Tensor exact = Executor(chained.graph()).run({{x}}).front();
  EXPECT_TRUE(close(exact, slow, 0x1p-9, 0x1p-11));
}

// Between two operators without float16 kernels onnxruntime rounds nothing.
TEST(Float16, ChainsAreRoundedWhenAsked) {
  const std::string text =
      "(float[1] x) => (float[1] y) <float[1] b = {60000}, float[1] s = {0.5}>"
      "{ h = Cast <to = 10> (x) big = Cast <to = 10> (b) small = Cast <to = 10> (s)"
      "  a = Add(h, big) c = Add(a, big) z = Mul(c, small) y = Cast <to = 1> (z) }";
  Model rounded = model_of(text), chained = model_of(text);
  widen_halves(rounded.graph(), /*round=*/true);
  widen_halves(chained.graph(), /*round=*/false);
  const Tensor x = Tensor::vector<float>({16});
  EXPECT_EQ(Executor(rounded.graph()).run({{x}}).front().to_vector<float>()[0],
            std::numeric_limits<float>::infinity());
  EXPECT_EQ(Executor(chained.graph()).run({{x}}).front().to_vector<float>()[0], 60008.0f)
      << "60000 is a float16, 60008 is none";
}

TEST(Float16, ConstantsBeyondTheRangeKeepTheirNodeFloat) {
  Model model = model_of(
      "(float[2] x) => (float[2] y, float[2] z) <float[2] big = {1e9, 1}, float[2] one = {1, 2}>"
      "{ y = Sub(x, big) z = Sub(x, one) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  EXPECT_EQ(plan.nodes[0].precision->reason, "its constant 'big' reaches beyond float16");
  EXPECT_EQ(plan.nodes[1].precision->type, DType::f16);
}

TEST(Float16, ValuesBeyondTheRangeKeepTheirNodeFloat) {
  Model model = model_of("(float[2] x) => (float[2] y) { e = Exp(x) s = Sqrt(e) y = Neg(s) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  keep_within_float16(plan, model.graph(), [](std::string_view name) {
    return name == "e" ? std::optional(40000.0f) : name == "x" ? std::nullopt : std::optional(9.0f);
  });
  EXPECT_EQ(plan.nodes[0].precision->reason,
            "'e' reaches 40000 on the data; float16 ends at 65504");
  EXPECT_EQ(plan.nodes[1].precision->type, DType::f32) << "it reads what the first one makes";
  EXPECT_EQ(plan.nodes[2].precision->type, DType::f16);
  write_float16(model, plan);
  EXPECT_EQ(ops_of(model), "Exp Sqrt Cast Neg Cast");
}

TEST(Float16, OperatorsWithoutAFormStayFloatWithAReason) {
  Model model = model_of(
      "(float[1,6] x, int64[1] k) => (float[1,2] v, int64[1,2] i, float[1,6] m, float[6] r) "
      "<int64 zero = {0}, int64 six = {6}, int64 one = {1}>"
      "{ v, i = TopK(x, k) m = Max(x, x) n = Range(zero, six, one) r = Cast <to = 1> (n) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  EXPECT_EQ(plan_of_op(plan, "TopK").precision->reason,
            "onnxruntime's own converter keeps it in float32");
  EXPECT_FALSE(plan_of_op(plan, "Range").precision) << "holds integers";
  EXPECT_EQ(plan_of_op(plan, "Cast").precision->type, DType::f32);
}

// Half of the operands in float16 would be no model.
TEST(Float16, WhatReadsAnUnknownTypeStaysFloat) {
  Model model = TextModel().domain("my").typed(
      "(float[1,2] x) => (y) <float[2,2] w = {1, 2, 3, 4}> { a = Neg(x) b = my.Op(a) y = MatMul(b, "
      "w) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  EXPECT_EQ(plan_of_op(plan, "Neg").precision->type, DType::f16);
  EXPECT_EQ(plan_of_op(plan, "MatMul").precision->type, DType::f32);
  EXPECT_EQ(plan_of_op(plan, "MatMul").precision->reason,
            "the type of 'b' is not known before the run");
}

// Resize reads its scales as float whatever its data is.
TEST(Float16, InputsOfAFixedTypeStay) {
  Model model = model_of(
      "(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] roi = {}, float[4] s = {1,1,2,2}>"
      "{ y = Resize <mode = \"nearest\"> (x, roi, s) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  write_float16(model, plan);
  EXPECT_EQ(ops_of(model), "Cast Resize Cast");
  EXPECT_EQ(model.graph().find("s")->constant().dtype(), DType::f32);
  const Tensor x = random_tensor({1, 1, 2, 2});
  EXPECT_EQ(Executor(model.graph()).run({{x}}).front().shape(), (Shape{1, 1, 4, 4}));
}

// Weights in float16 read by float16 operators are not cast there and back.
TEST(Float16, WeightsInFloat16AreReadAsTheyAre) {
  Model model =
      model_of("(float[1,2] x) => (float[1,2] y) <float[2,2] w = {1,2,3,4}> { y = MatMul(x, w) }");
  Target target = onnxruntime_target();
  target.weights.type = DType::f16;
  Plan plan = draft_weights(model.graph(), target);
  plan.nodes[0].constants[0].params = {DType::f16, std::nullopt, {}, {}};
  draft_float16(plan, model.graph(), target, true);
  write_weights(model, plan);
  write_float16(model, plan);
  EXPECT_EQ(ops_of(model), "Cast MatMul Cast");
  EXPECT_EQ(model.graph().nodes()[1]->input(1)->constant().dtype(), DType::f16);
}

TEST(Float16, NodesThatComputeOnCodesAfterAllLoseTheirMark) {
  Model model = model_of("(float[1,4] x) => (float[1,4] y) { y = Tanh (x) }");
  Plan plan = draft_weights(model.graph(), onnxruntime_target());
  draft_float16(plan, model.graph(), onnxruntime_target(), true);
  ASSERT_TRUE(plan.nodes[0].precision);
  model.graph().nodes().front()->set_op("Sigmoid");  // as a writer that exchanged the operator
  write_float16(model, plan);
  EXPECT_FALSE(plan.nodes[0].precision);
  EXPECT_EQ(ops_of(model), "Sigmoid");
}

TEST(Float16, ThePlanKeepsIt) {
  const Model model = model_of(conv_and_erf);
  const Plan plan = float16_plan(model);
  const Json json = to_json(plan);
  EXPECT_EQ(to_json(plan_from_json(json, "plan")), json);
  EXPECT_NE(json.dump().find("\"precision\":\"float16\""), std::string::npos);
}

TEST(Float16, TargetsThatTakeNoneSaySo) {
  EXPECT_THROW(require_float16(read_target(source_dir() / "configs" / "stm32n6.json")), Error);
  EXPECT_NO_THROW(require_float16(onnxruntime_target()));
}

}  // namespace
}  // namespace intaglio::testing
