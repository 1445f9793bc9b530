// The dynamic writer: the chain that runtimes recognise, close to the float model for any data.
#include "lib/rewrite/dynamic.h"

#include <gtest/gtest.h>

#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

struct Form {
  Model model;
  std::string ops;
};

// Both types of weights; the tolerance is a part of the largest result.
Form written(const std::string& text, double tolerance = 0.02) {
  std::string ops;
  Model last;
  for (const DType type : {DType::u8, DType::s8}) {
    Model model = model_of(text);
    Shape shape;
    for (const Dim& d : *model.graph().inputs().front()->dims()) shape.push_back(d.value);
    Target target = onnxruntime_target();
    target.weights.type = type;
    const Tensor x = random_tensor(shape, 5, -20, 60);  // nothing was said about its range
    const Tensor before = Executor(model.graph()).run({{x}}).front();
    write_dynamic(model, weights_plan_of(model, dynamic_target(target)));
    const Tensor after = Executor(model.graph()).run({{x}}).front();
    double most = 0;
    for (const float v : before.data<float>())
      most = std::max(most, std::abs(static_cast<double>(v)));
    EXPECT_TRUE(close(after, before, 0, tolerance * most)) << text;
    EXPECT_FALSE(close(after, before, 0, 1e-6 * most)) << "the result must have been rounded";
    ops = ops_of(model);
    last = std::move(model);
  }
  return {std::move(last), ops};
}

TEST(Dynamic, MatMul) {
  const Form form = written(
      "(float[4,3] x) => (float[4,2] y) <float[3,2] w = {1,-2,3,4,0.5,0.25}> { y = MatMul(x, w) }");
  EXPECT_EQ(form.ops, "DynamicQuantizeLinear MatMulInteger Cast Mul Mul");
  EXPECT_EQ(count(form.model, "MatMulInteger"), 1);
}

TEST(Dynamic, ConvWithBiasAndPadding) {
  const Form form = written(
      "(float[1,2,4,4] x) => (float[1,2,4,4] y) <float[2,1,3,3] w = "
      "{1,-2,3,4,5,6,7,8,9,1,1,1,-1,1,1,1,1,1}, float[2] b = {50,-50}>"
      "{ y = Conv <group = 2, pads = [1,1,1,1]> (x, w, b) }");
  EXPECT_EQ(form.ops, "DynamicQuantizeLinear ConvInteger Cast Mul Mul Add");
}

TEST(Dynamic, ImagesStayFloat) {
  const std::string first =
                        "<float[1,3,1,1] w = {1,-2,3}, float m = {127.5}, float[1,1,1,1] v = {5}>",
                    image = "(float[1,3,4,4] x) => (float[1,1,4,4] y) ";
  const auto ops = [](const std::string& text) {
    Model model = model_of(text);
    write_dynamic(model, weights_plan_of(model, dynamic_target(onnxruntime_target())));
    return ops_of(model);
  };
  EXPECT_EQ(ops(image + first + "{ y = Conv(x, w) }"), "DequantizeLinear Conv");
  EXPECT_EQ(ops(image + first + "{ s = Sub(x, m) d = Div(s, m) y = Conv(d, w) }"),
            "Sub Div DequantizeLinear Conv");
  EXPECT_EQ(ops(image + first + "{ c = Conv(x, w) y = Conv(c, v) }"),
            "DequantizeLinear Conv DynamicQuantizeLinear ConvInteger Cast Mul Mul");
  EXPECT_EQ(ops("(float[1,1,4,4] x, float[1,1,4,4] z) => (float[1,1,4,4] y) " + first +
                "{ r = Relu(x) a = Add(r, z) y = Conv(a, v) }"),
            "Relu Add DynamicQuantizeLinear ConvInteger Cast Mul Mul")
      << "what a layer makes has levels of its own";
}

TEST(Dynamic, GemmWithFactors) {
  const Form form = written(
      "(float[4,3] x) => (float[4,2] y) <float[2,3] w = {1,-2,3,4,0.5,0.25}, float[2] b = {50,-50}>"
      "{ y = Gemm <transB = 1, alpha = 0.5, beta = 2.0> (x, w, b) }");
  EXPECT_EQ(form.ops, "DynamicQuantizeLinear MatMulInteger Cast Mul Mul Add");
}

TEST(Dynamic, ReadersShareTheQuantizedData) {
  Model model = model_of(
      "(float[4,3] x) => (float[4,2] y) <float[3,2] w = {1,-2,3,4,0.5,0.25}, float[3,2] v = "
      "{1,1,3,4,0.5,0.25}>"
      "{ a = MatMul(x, w) b = MatMul(x, v) y = Add(a, b) }");
  write_dynamic(model, weights_plan_of(model, dynamic_target(onnxruntime_target())));
  EXPECT_EQ(count(model, "DynamicQuantizeLinear"), 1);
}

TEST(Dynamic, WhatHasNoIntegerFormGetsItsWeightsAlone) {
  Model model = model_of(
      "(float[1,2,4,4] x) => (float[1,1,5,5] y) <float[2,1,2,2] w = {1,-2,3,4,5,6,7,8}>"
      "{ y = ConvTranspose(x, w) }");
  write_dynamic(model, weights_plan_of(model, dynamic_target(onnxruntime_target())));
  EXPECT_EQ(ops_of(model), "DequantizeLinear ConvTranspose");
}

TEST(Dynamic, SixteenBitWeightsAreRefused) {
  Target target = onnxruntime_target();
  target.weights.type = DType::s16;
  EXPECT_THROW(dynamic_target(target), Error);
}

// Both directions, whose gate rows share their scales.
TEST(Dynamic, AnLstmBecomesTheOneOfMicrosoftWhereAllowed) {
  std::string w, r;
  for (int i = 0; i < 48; ++i) w += (i ? "," : "") + std::to_string(0.05 * (i % 17 - 8));
  for (int i = 0; i < 32; ++i) r += (i ? "," : "") + std::to_string(0.07 * (i % 13 - 6));
  const std::string text =
      "(float[5,2,3] x) => (float[5,2,2,2] y) <float[2,8,3] w = {" + w + "}, float[2,8,2] r = {" +
      r + "}> { y = LSTM <hidden_size = 2, direction = \"bidirectional\"> (x, w, r) }";
  const Tensor x = random_tensor({5, 2, 3}, 5, -2, 2);
  for (const DType type : {DType::s8, DType::u8})
    for (const bool per_channel : {true, false}) {
      Model model = model_of(text);
      Target target = onnxruntime_target();
      target.weights.type = type;
      target.per_channel = per_channel;
      const Plan plan = weights_plan_of(model, dynamic_target(target));
      const Node& lstm = *model.graph().nodes().front();
      EXPECT_NE(float_arithmetic(lstm, plan.nodes[0], false).find("`contrib`"), std::string::npos);
      EXPECT_EQ(float_arithmetic(lstm, plan.nodes[0], true), "");
      const Tensor before = Executor(model.graph()).run({{x}}).front();
      write_dynamic(model, plan, /*microsoft=*/true);
      EXPECT_EQ(ops_of(model), "DynamicQuantizeLSTM");
      const Node& node = *model.graph().nodes().front();
      EXPECT_EQ(model.opset("com.microsoft"), 1);
      EXPECT_EQ(node.input(1)->constant().shape(), (Shape{2, 3, 8}));
      EXPECT_EQ(node.input(2)->constant().shape(), (Shape{2, 2, 8}));
      EXPECT_EQ(node.input(8)->constant().shape(), per_channel ? Shape({2, 8}) : Shape({2}));
      EXPECT_EQ(model.graph().find("w"), nullptr);
      const Tensor after = Executor(model.graph()).run({{x}}).front();
      EXPECT_TRUE(close(after, before, 0, 0.01));
      EXPECT_FALSE(close(after, before, 0, 1e-6)) << "the result must have been rounded";
    }
}

TEST(Dynamic, AnLstmWithBatchesFirstHasCodesOfWeightsAlone) {
  Model model = model_of(
      "(float[1,2,2] x) => (float[1,2,1,1] y) <float[1,4,2] w = {1,2,3,4,-5,6,7,8}, "
      "float[1,4,1] r = {1,2,-3,4}> { y = LSTM <hidden_size = 1, layout = 1> (x, w, r) }");
  model.set_opset("", 14);
  const Plan plan = weights_plan_of(model, dynamic_target(onnxruntime_target()));
  write_dynamic(model, plan, /*microsoft=*/true);
  EXPECT_EQ(ops_of(model), "DequantizeLinear DequantizeLinear LSTM");
}

}  // namespace
}  // namespace intaglio::testing
