// The QOperator writer: which operators it makes, and that they compute what the Q/DQ pairs do.
#include "lib/rewrite/qoperator.h"

#include <gtest/gtest.h>

#include "lib/rewrite/qdq.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

struct Form {
  Model model;
  QOperatorResult result;
  std::string ops;
};

// The model in both forms, whose outputs may differ by one level (or none) of the result.
Form written(const std::string& text, bool microsoft, double tolerance = 8.0 / 255 + 1e-4,
             const Target& target = onnxruntime_target()) {
  Model model = model_of(text), pairs = model_of(text);
  const Plan plan = plan_of(model, qoperator_target(target));
  QOperatorResult result = write_qoperator(model, plan, microsoft);
  write_qdq(pairs, plan);
  std::vector<Tensor> feeds;
  for (const Value* input : model.graph().inputs()) {
    Shape shape;
    for (const Dim& d : *input->dims()) shape.push_back(d.value);
    feeds.push_back(random_tensor(shape, 7, -3, 3));
  }
  const auto actual = Executor(model.graph()).run(feeds),
             expected = Executor(pairs.graph()).run(feeds);
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_TRUE(close(actual[i], expected[i], 0, tolerance)) << text;
  std::string ops = ops_of(model);
  return {std::move(model), std::move(result), std::move(ops)};
}

const std::string conv =
    "<float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}, float[2] b = {0.5,-0.5}, float z = {0}, "
    "float six = {1}, float[2,3] m = {1,-0.5,0.25,0.5,0.1,-1}, float[3] k = {0.5,0.1,-0.5}, "
    "float[3,2] t = {1,-0.5,0.25,0.5,0.1,-1}>";

TEST(QOperator, ConvolutionsAreStandard) {
  const Form form =
      written("(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + "{ y = Conv(x, w, b) }", false);
  EXPECT_EQ(form.ops, "QuantizeLinear QLinearConv DequantizeLinear");
  EXPECT_EQ(form.model.opset("com.microsoft"), 0) << "nothing of that domain is used";
  EXPECT_EQ(form.model.graph().outputs().front()->name(), "y");
  const Node* node = form.model.graph().outputs().front()->producer()->input(0)->producer();
  EXPECT_EQ(node->input(3)->constant().dtype(), DType::s8);
  EXPECT_EQ(node->input(8)->constant().dtype(), DType::s32);
}

// Few products are left to floats where codes need not be made for it, which here they are anyway.
TEST(QOperator, AConvolutionOfFewProductsIsOneToo) {
  const Form form = written(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + "{ c = Conv(x, w, b) y = LeakyRelu(c) }",
      true);
  EXPECT_EQ(form.ops, "QuantizeLinear QLinearConv QLinearLeakyRelu DequantizeLinear");
}

// Ranges of [-4, 4] never imply an activation, so it works on codes; the result is the same to the
// bit.
TEST(QOperator, AnActivationThatTheRangeDoesNotImplyWorksOnCodes) {
  for (const char* body :
       {"{ c = Conv(x, w, b) y = Relu(c) }", "{ c = Conv(x, w, b) y = Clip(c, z, six) }",
        "{ c = Conv(x, w, b) y = Clip(c, , six) }"}) {
    const Form form = written("(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + body, false);
    EXPECT_EQ(form.ops, "QuantizeLinear QLinearConv Clip DequantizeLinear") << body;
  }
}

TEST(QOperator, AnActivationThatTheRangeImpliesGoes) {
  Model model = model_of("(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv +
                         "{ c = Conv(x, w, b) y = Relu(c) }");
  Plan plan = plan_of(model);
  plan.find("y")->params = {DType::u8, {}, {4.0f / 255}, {0}};
  write_qoperator(model, plan, false);
  EXPECT_EQ(ops_of(model), "QuantizeLinear QLinearConv DequantizeLinear");
}

TEST(QOperator, OtherOperatorsNeedContrib) {
  const std::string text =
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + "{ c = Conv(x, w, b) y = Add(c, x) }";
  const Form standard = written(text, false), all = written(text, true);
  EXPECT_EQ(count(standard.model, "Add"), 1);
  EXPECT_EQ(count(standard.model, "QLinearConv"), 1);
  EXPECT_EQ(standard.result.decisions.back().reason,
            "its integer form is not standard: allow it with `contrib`");
  EXPECT_EQ(all.ops, "QuantizeLinear QLinearConv QLinearAdd DequantizeLinear");
  EXPECT_EQ(all.model.opset("com.microsoft"), 1);
}

TEST(QOperator, ActivationsOtherThanReluHaveCodesBeforeThem) {
  const Form form = written(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + "{ c = Conv(x, w, b) y = LeakyRelu(c) }",
      true, 0.05);
  EXPECT_EQ(form.ops, "QuantizeLinear QLinearConv QLinearLeakyRelu DequantizeLinear");
}

// The standard has no product with a bias: its sums are exact, and rounded once.
TEST(QOperator, GemmBecomesSumsAndABias) {
  for (const char* body : {"{ y = Gemm(x, m, k) }", "{ y = Gemm <transB = 1> (x, t, k) }"}) {
    const std::string text = "(float[4,2] x) => (float[4,3] y)" + conv + body;
    EXPECT_EQ(written(text, false, 1e-5).ops, "QuantizeLinear MatMulInteger Add Cast Mul") << body;
    EXPECT_EQ(written(text, true, 1e-5).ops, "QuantizeLinear QGemm") << body;
  }
  EXPECT_EQ(written("(float[4,2] x) => (float[4,3] y)" + conv +
                        "{ c = Gemm(x, m, k) s = Sigmoid(c) y = Relu(s) }",
                    false)
                .ops,
            "QuantizeLinear MatMulInteger Add Cast Mul QuantizeLinear DequantizeLinear Sigmoid "
            "QuantizeLinear "
            "DequantizeLinear Relu QuantizeLinear DequantizeLinear");
}

TEST(QOperator, MatMulAndGemmWithoutBias) {
  EXPECT_EQ(
      written("(float[4,2] x) => (float[4,3] y)" + conv + "{ c = MatMul(x, m) y = Add(c, c) }",
              true)
          .ops,
      "QuantizeLinear QLinearMatMul QLinearAdd DequantizeLinear");
  EXPECT_EQ(written("(float[4,2] x) => (float[4,3] y)" + conv +
                        "{ c = Gemm <transB = 1> (x, t) y = Add(c, c) }",
                    false)
                .ops,
            "QuantizeLinear QLinearMatMul DequantizeLinear Add QuantizeLinear DequantizeLinear");
  EXPECT_EQ(
      written("(float[4,2] x) => (float[4,3] y)" + conv + "{ y = MatMul(x, m) }", false, 1e-5).ops,
      "QuantizeLinear MatMulInteger Cast Mul");
  EXPECT_EQ(
      written("(float[4,2] x) => (float[4,3] y)" + conv + "{ y = MatMul(x, m) }", true, 1e-5).ops,
      "QuantizeLinear MatMulIntegerToFloat");
}

TEST(QOperator, SignedActivations) {
  Target target = onnxruntime_target();
  target.activations.type = DType::s8;
  const std::string text = "(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv +
                           "{ c = Conv(x, w, b) y = Clip(c, z, six) }";
  EXPECT_EQ(written(text, false, 8.0 / 255 + 1e-4, target).ops,
            "QuantizeLinear QLinearConv Clip DequantizeLinear");
}

TEST(QOperator, CodesAreFoundByActivation) {
  Form form = written(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv + "{ c = Conv(x, w, b) y = Add(c, x) }",
      true);
  Model model = model_of("(float[1,2,3,3] x) => (float[1,2,3,3] y)" + conv +
                         "{ c = Conv(x, w, b) y = Add(c, x) }");
  const auto values = dequantize_codes(form.model.graph(), plan_of(model), form.result.codes);
  for (const char* name : {"x", "c", "y"}) {
    ASSERT_TRUE(values.contains(name)) << name;
    EXPECT_TRUE(form.model.graph().find(values.at(name))->producer()->is("DequantizeLinear"));
  }
}

TEST(QOperator, SixteenBitsAreRefused) {
  Target target = onnxruntime_target();
  target.activations.type = DType::u16;
  EXPECT_THROW(qoperator_target(target), Error);
}

TEST(QOperator, AnLstmHasCodesOfItsOwnWithContrib) {
  const std::string text =
      "(float[2,1,2] x) => (float[2,1,1,1] y) <float[1,4,2] w = {1,2,3,4,-5,6,7,8}, float[1,4,1] r "
      "= {1,2,-3,4}> { y = LSTM <hidden_size = 1> (x, w, r) }";
  const Tensor x = random_tensor({2, 1, 2});
  for (const bool microsoft : {false, true}) {
    Model model = model_of(text);
    const Tensor before = Executor(model.graph()).run({{x}}).front();
    write_qoperator(model, plan_of(model), microsoft);
    EXPECT_EQ(ops_of(model),
              microsoft ? "DynamicQuantizeLSTM" : "DequantizeLinear DequantizeLinear LSTM");
    EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), before, 0, 0.03));
  }
}

TEST(QOperator, AConstantOnTheLeftIsUnsigned) {
  Model model = model_of(
      "(float[2,4] x) => (float[3,4] y) <float[3,2] a = {1,2,3,4,5,-6}> { y = MatMul(a, x) }");
  write_qoperator(model, plan_of(model), true);
  EXPECT_EQ(ops_of(model), "QuantizeLinear MatMulIntegerToFloat");
  EXPECT_EQ(model.graph().find("y")->producer()->input(0)->constant().dtype(), DType::u8);
}

}  // namespace
}  // namespace intaglio::testing
