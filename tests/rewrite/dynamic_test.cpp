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

}  // namespace
}  // namespace intaglio::testing
