// Integer graph inputs and outputs.
#include "lib/rewrite/interface.h"

#include <gtest/gtest.h>

#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

const char* conv =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
    "<float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}> { c = Conv(x, w) y = Relu(c) }";

Model quantized(bool qoperator = false) {
  Model model = model_of(conv);
  const Plan plan = plan_of(model);
  if (qoperator)
    write_qoperator(model, plan, false);
  else
    write_qdq(model, plan);
  return model;
}

TEST(Interface, TakesAndGivesCodesOfTheSameMeaning) {
  for (const bool qoperator : {false, true})
    for (const DType type : {DType::u8, DType::s8}) {
      const Tensor x = random_tensor({1, 2, 3, 3}, 4, -3, 3);
      Model model = quantized(qoperator);
      const Tensor expected = Executor(model.graph()).run({{x}}).front();
      const Interface interface = quantize_interface(model, {type, type});
      ASSERT_EQ(interface.inputs.size(), 1u);
      ASSERT_EQ(interface.outputs.size(), 1u);
      EXPECT_EQ(interface.inputs[0].name, "x");
      EXPECT_EQ(model.graph().find("x")->dtype(), type);
      EXPECT_EQ(model.graph().find("y")->dtype(), type);
      Scheme scheme;
      scheme.type = type;
      const Tensor codes =
          Executor(model.graph()).run({{quantize(x, interface.inputs[0].params, scheme)}}).front();
      EXPECT_EQ(codes.dtype(), type);
      EXPECT_TRUE(close(dequantize(codes, interface.outputs[0].params), expected, 0, 1e-6));
    }
}

TEST(Interface, OfTheSameTypeLeavesNoConversion) {
  Model model = quantized(true);
  quantize_interface(model, {DType::u8, DType::u8});
  EXPECT_EQ(ops_of(model), "QLinearConv Clip");
  EXPECT_NE(model.metadata().at("intaglio.interface").find("\"zero_point\":128"),
            std::string::npos);
}

TEST(Interface, CanBeUndone) {
  for (const DType type : {DType::u8, DType::s8}) {
    const Tensor x = random_tensor({1, 2, 3, 3}, 4, -3, 3);
    Model model = quantized();
    const Tensor expected = Executor(model.graph()).run({{x}}).front();
    quantize_interface(model, {type, type});
    restore_float_interface(model);
    EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), expected, 0, 0));
  }
  Model plain = quantized();
  const std::string before = ops_of(plain);
  restore_float_interface(plain);
  EXPECT_EQ(ops_of(plain), before) << "without metadata nothing happens";
}

TEST(Interface, FloatEndsAreRefusedWithTheNode) {
  Model reader = model_of(
      "(float[4] x) => (float[4] y) <float s = {0.1}, uint8 z = {3}>"
      "{ q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) y = Add(d, x) }");
  Model maker = model_of(
      "(float[4] x) => (float[4] y) <float s = {0.1}, uint8 z = {3}>"
      "{ q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) y = Neg(d) }");
  for (Model* model : {&reader, &maker}) {
    try {
      quantize_interface(*model, {DType::u8, DType::u8});
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unsupported);
      EXPECT_NE(std::string(e.what()).find(model == &reader ? "Add" : "Neg"), std::string::npos)
          << e.what();
    }
  }
}

TEST(Interface, WhatIsNoFloatStays) {
  Model model = model_of("(int64[2] ids) => (int64[2] y) { y = Identity(ids) }");
  EXPECT_TRUE(quantize_interface(model, {DType::u8, DType::u8}).empty());
}

// An output that nodes inside read as well.
TEST(Interface, AnOutputThatIsReadInside) {
  Model model = model_of(
      "(float[4] x) => (float[4] y, float[4] z) <float s = {0.1}, uint8 o = {3}>"
      "{ q = QuantizeLinear(x, s, o) y = DequantizeLinear(q, s, o) n = Sigmoid(y)"
      "  p = QuantizeLinear(n, s, o) z = DequantizeLinear(p, s, o) }");
  const Tensor x = random_tensor({4});
  const auto expected = Executor(model.graph()).run({{x}});
  quantize_interface(model, {DType::u8, DType::u8});
  restore_float_interface(model);
  const auto actual = Executor(model.graph()).run({{x}});
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(close(actual[i], expected[i], 0, 1e-6));
}

}  // namespace
}  // namespace intaglio::testing
