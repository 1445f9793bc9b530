// What check says of models whose fate on a target is known.
#include "lib/check/check.h"

#include <gtest/gtest.h>

#include "lib/check/summary.h"
#include "lib/rewrite/malformed.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Target target_named(const std::string& name) {
  return read_target(source_dir() / "configs" / (name + ".json"));
}

Model model_of(const std::string& text, int opset = 13) {
  return TextModel().opset(opset).domain("com.microsoft").typed(text);
}

const std::string constants =
    "<float s = {0.05}, uint8 z = {100}, int8 n = {0}, int8[4,2,1,1] w = {-100, 20, 127, -7, 64, "
    "3, 1, 1},"
    " float[4] ws = {0.01, 0.02, 0.015, 0.01}, int8[4] wz = {0, 0, 0, 0}, int32[4] b = {1, 2, 3, "
    "4},"
    " float[4] bs = {0.0005, 0.001, 0.00075, 0.0005}> ";

// Conv between pairs, with codes of u8 and an int32 bias.
std::string conv_of(const std::string& zero) {
  return "(float[1,2,4,4] x) => (float[1,4,4,4] y)" + constants + "{ xq = QuantizeLinear(x, s, " +
         zero + ") xd = DequantizeLinear(xq, s, " + zero +
         ") wd = DequantizeLinear <axis = 0> (w, ws, wz) bd = DequantizeLinear <axis = 0> (b, bs)"
         " c = Conv(xd, wd, bd) q = QuantizeLinear(c, s, " +
         zero + ") y = DequantizeLinear(q, s, " + zero + ") }";
}

const NodeCheck* node_of(const CheckResult& result, std::string_view op) {
  for (const NodeCheck& node : result.nodes)
    if (node.op == op) return &node;
  return nullptr;
}

TEST(Check, AConvolutionBetweenPairsFits) {
  const CheckResult result = check_model(model_of(conv_of("z")), target_named("onnxruntime"));
  EXPECT_TRUE(result.fits());
  ASSERT_NE(node_of(result, "Conv"), nullptr);
  EXPECT_EQ(node_of(result, "Conv")->verdict, Verdict::integer);
  EXPECT_EQ(result.macs, 4 * 16 * 2);
  EXPECT_EQ(result.integer_macs, result.macs);
}

// Nobody is told to quantize what is faster in float.
TEST(Check, WhatStaysFloatForSpeedHasNoRemedy) {
  const auto remedies = [](const std::string& graph) {
    const CheckResult result = check_model(model_of(graph), target_named("onnxruntime"));
    return std::pair(node_of(result, "Conv")->remedy, node_of(result, "Relu")->remedy);
  };
  const std::string ends = "(float[1,2,4,4] x) => (float[1,2,4,4] y)";
  const auto [conv, relu] = remedies(ends +
                                     "<float[2,1,1,1] w = {1,2}>"
                                     "{ c = Conv<group = 2>(x, w) y = Relu(c) }");
  EXPECT_EQ(conv, "");
  EXPECT_EQ(relu, "");
  const auto [dense, behind] =
      remedies(ends + "<float[2,2,1,1] w = {1,2,3,4}> { c = Conv(x, w) y = Relu(c) }");
  EXPECT_NE(dense.find("left out by mistake"), std::string::npos);
  EXPECT_NE(behind.find("left out by mistake"), std::string::npos);
}

TEST(Check, RemediesFollowTheKindOfTheReason) {
  struct Case {
    const char *op, *body, *remedy;
  };
  for (const Case& c :
       {Case{"Conv", "c = Conv(x, wd) q = QuantizeLinear(c, s, z)", "on that input"},
        {"Conv", "c = Conv(xd, wd) r = Relu(c) q = QuantizeLinear(r, s, z)",
         "use asymmetric activations"},
        {"Conv", "c = Conv(xd, wd, fb) q = QuantizeLinear(c, s, z)", "its bias"}}) {
    const CheckResult result =
        check_model(model_of("(float[1,2,4,4] x, float[4] fb) => (float[1,4,4,4] y)" + constants +
                             "{ xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wd = "
                             "DequantizeLinear <axis = 0> (w, ws, wz) " +
                             c.body + " y = DequantizeLinear(q, s, z) }"),
                    target_named("onnxruntime"));
    ASSERT_NE(node_of(result, c.op), nullptr) << c.body;
    EXPECT_EQ(node_of(result, c.op)->verdict, Verdict::misfit) << node_of(result, c.op)->reason;
    EXPECT_NE(node_of(result, c.op)->remedy.find(c.remedy), std::string::npos)
        << node_of(result, c.op)->remedy;
  }
}

// Two products make a result of this convolution.
TEST(Check, AConvolutionOfFewProductsRunsInFloatWithItsActivation) {
  for (const char* body :
       {"c = Conv(xd, wd) r = LeakyRelu(c)",
        "c = Conv(xd, wd) p = MaxPool<kernel_shape = [1, 1]>(c) r = LeakyRelu(p)"})
    for (const char* target : {"onnxruntime", "onnxruntime-arm"}) {
      const CheckResult result = check_model(
          model_of("(float[1,2,4,4] x) => (float[1,4,4,4] y)" + constants +
                   "{ xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wd = "
                   "DequantizeLinear <axis = 0> (w, ws, wz) " +
                   body + " q = QuantizeLinear(r, s, z) y = DequantizeLinear(q, s, z) }"),
          target_named(target));
      const bool wanted = target == std::string("onnxruntime");
      ASSERT_NE(node_of(result, "Conv"), nullptr);
      EXPECT_EQ(node_of(result, "Conv")->verdict, wanted ? Verdict::floating : Verdict::misfit)
          << target << body;
      for (const char* op : {"LeakyRelu", "MaxPool"})
        if (const NodeCheck* node = node_of(result, op)) {
          EXPECT_EQ(node->verdict, Verdict::floating);
          EXPECT_EQ(node->reason.starts_with("few products"), wanted) << target << node->reason;
        }
      EXPECT_EQ(result.integer_macs, 0);
    }
}

TEST(Check, OperatorsForWhoseTypesThereIsNoKernelDoNotFit) {
  struct Case {
    const char *body, *reason;
  };
  const std::string head =
      "(uint8[2,4] x, int8[2,4] v) => (float[] y) <float s = {0.1}, uint8 z = {3}, int8 n = {0}, "
      "uint8[4,3] u = {1,2,3,4,5,6,7,8,9,1,2,3}, int8[4,3] w = {1,2,3,4,5,6,7,8,9,1,2,3}> ";
  for (const Case& c :
       {Case{"{ y = com.microsoft.MatMulIntegerToFloat(v, u, s, s, n, z) }", "int8 times uint8"},
        {"{ y = com.microsoft.MatMulIntegerToFloat(v, w, s, s, n, n) }", ""},
        {"{ y = com.microsoft.MatMulIntegerToFloat(x, u, s, s, z, z) }", ""},
        {"{ q = QLinearMatMul(v, s, n, u, s, z, s, n) y = DequantizeLinear(q, s, n) }",
         "int8 times uint8"},
        {"{ q = QLinearMatMul(x, s, z, w, s, n, s, n) y = DequantizeLinear(q, s, n) }",
         "uint8 to int8"},
        {"{ q = QLinearMatMul(x, s, z, w, s, n, s, z) y = DequantizeLinear(q, s, z) }", ""},
        {"{ q = com.microsoft.QGemm(v, s, n, u, s, z, , s, n) y = DequantizeLinear(q, s, n) }",
         "int8 times uint8"}}) {
    const CheckResult result = check_model(model_of(head + c.body), target_named("onnxruntime"));
    const NodeCheck& node = result.nodes.front();
    EXPECT_EQ(node.verdict == Verdict::misfit, *c.reason != 0) << c.body << node.reason;
    EXPECT_NE(node.reason.find(c.reason), std::string::npos) << node.reason;
  }
}

TEST(Check, AConstantOnTheLeftIsData) {
  const std::string head =
      "(float[4,3] x) => (float[2,3] y) <float s = {0.1}, uint8 z = {3}, uint8[2,4] a = "
      "{1,2,3,4,5,6,7,8}> { ad = DequantizeLinear(a, s, z) xq = QuantizeLinear(x, s, z) xd = "
      "DequantizeLinear(xq, s, z) ";
  const CheckResult result =
      check_model(model_of(head + "y = MatMul(ad, xd) }"), target_named("onnxruntime"));
  EXPECT_TRUE(result.fits());
  EXPECT_EQ(node_of(result, "MatMul")->verdict, Verdict::integer);
}

TEST(Check, AGemmOfConstantDataAndComputedWeightsIsFloat) {
  const CheckResult result = check_model(
      model_of("(float[2,2] x) => (float[2,2] y) <float s = {0.1}, uint8 z = {3}, float[2,2] a = "
               "{1,2,3,4}, float[2] b = {1,2}> { xq = QuantizeLinear(x, s, z) xd = "
               "DequantizeLinear(xq, s, z) g = Gemm(a, xd, b) q = QuantizeLinear(g, s, z) y = "
               "DequantizeLinear(q, s, z) }"),
      target_named("onnxruntime"));
  EXPECT_EQ(node_of(result, "Gemm")->verdict, Verdict::floating);
  EXPECT_NE(node_of(result, "Gemm")->reason.find("constant"), std::string::npos);

  const CheckResult alone = check_model(
      model_of("(float[2] x) => (float[2,2] y) <float s = {0.1}, float[2,2] a = {1,2,3,4}, "
               "int8[2,2] w = {1,2,3,4}> { d = DequantizeLinear(w, s) y = Gemm(a, d, x) }"),
      target_named("onnxruntime"));
  EXPECT_TRUE(alone.fits()) << "its weights alone are codes";
}

TEST(Check, RecurrentOperatorsHoldWeightsAloneWhateverIsAroundThem) {
  const std::string head =
      "(float[2,1,2] x) => (float[] y) <float s = {0.1}, uint8 z = {3}, int8[1,4,2] w = "
      "{1,2,3,4,5,6,7,8}, int8[1,4,1] r = {1,2,3,4}, float[4] ws = {1,2,3,4}, int8[4] wz = "
      "{0,0,0,0}> { wd = DequantizeLinear <axis = 1> (w, ws, wz) rd = DequantizeLinear <axis = 1> "
      "(r, ws, wz) ";
  for (const char* body :
       {"y = LSTM <hidden_size = 1> (x, wd, rd) }",
        "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) l = LSTM <hidden_size = 1> "
        "(xd, wd, rd) q = QuantizeLinear(l, s, z) y = DequantizeLinear(q, s, z) }"}) {
    const CheckResult result = check_model(model_of(head + body), target_named("onnxruntime"));
    ASSERT_NE(node_of(result, "LSTM"), nullptr);
    EXPECT_EQ(node_of(result, "LSTM")->verdict, Verdict::floating);
    EXPECT_NE(node_of(result, "LSTM")->reason.find("weights alone"), std::string::npos);
    EXPECT_EQ(node_of(result, "LSTM")->remedy, "");
  }
}

// The codes of a table have a type and scales of their own, which nothing computes on.
TEST(Check, RowsOfATableAreFloats) {
  const Model model = model_of(
      "(int64[2] i) => (float[2,2] y) <int8[3,2] t = {1, 2, 3, 4, 5, 6}, float[2] ts = {0.1, 0.2}, "
      "int8[2] tz = {0, 0}, float s = {0.05}, uint8 z = {100}> "
      "{ r = Gather(t, i) d = DequantizeLinear <axis = -1> (r, ts, tz) a = Add(d, d) "
      "q = QuantizeLinear(a, s, z) y = DequantizeLinear(q, s, z) }");
  for (const char* target : {"onnxruntime", "qnn"}) {
    const CheckResult result = check_model(model, target_named(target));
    ASSERT_NE(node_of(result, "Add"), nullptr);
    EXPECT_EQ(node_of(result, "Add")->verdict, Verdict::floating)
        << target << ": " << node_of(result, "Add")->reason;
  }
}

TEST(Check, RowsOfATableThatACastAndAMulMakeAreFloats) {
  const CheckResult result = check_model(
      model_of("(int64[2] i) => (float[2,2] y) <int8[3,2] t = {1, 2, 3, 4, 5, 6}, float[2] ts = "
               "{0.1, 0.2}> { r = Gather(t, i) c = Cast <to = 1> (r) y = Mul(c, ts) }"),
      target_named("onnxruntime"));
  EXPECT_EQ(node_of(result, "Mul")->verdict, Verdict::floating);
  EXPECT_EQ(node_of(result, "Mul")->remedy, "");
}

TEST(Check, WeightsInHalfPrecision) {
  const std::string text =
      "(float[1,2,4,4] x) => (float[1,4,4,4] y) <float[4,2,1,1] w = {1,2,3,4,5,6,7,8}>"
      "{ h = Cast <to = 10> (w) f = Cast <to = 1> (h) y = Conv(x, f) }";
  Model model = model_of(text);
  Graph& graph = model.graph();
  Value& half = graph.add_constant("w16", convert(graph.find("w")->constant(), DType::f16));
  graph.set_input(*graph.find("f")->producer(), 0, &half);
  const CheckResult taken = check_model(model, target_named("onnxruntime"));
  EXPECT_TRUE(taken.fits());
  EXPECT_EQ(node_of(taken, "Conv")->reason, "its weights alone are float16; it runs in float");
  const CheckResult refused = check_model(model, target_named("stm32n6"));
  EXPECT_FALSE(refused.fits());
  EXPECT_EQ(node_of(refused, "Conv")->verdict, Verdict::misfit);
}

TEST(Check, TypesZeroPointsAndBiasesOfTheTarget) {
  struct Case {
    const char *target, *zero, *reason;
  };
  for (const Case& c : {Case{"tensorrt", "z", "input 0: codes of type uint8, not int8"},
                        {"tensorrt", "n", "its bias is quantized; the target takes float biases"},
                        {"vitis-xint8", "n", "input 0: its scale is no power of two"},
                        {"qnn", "n", "input 0: codes of type int8, not uint8 or uint16"}}) {
    const CheckResult result = check_model(model_of(conv_of(c.zero)), target_named(c.target));
    EXPECT_FALSE(result.fits()) << c.target;
    EXPECT_EQ(node_of(result, "Conv")->reason, c.reason);
    EXPECT_FALSE(node_of(result, "Conv")->remedy.empty());
  }
  EXPECT_TRUE(check_model(model_of(conv_of("n"), 15), target_named("stm32n6")).fits());
  EXPECT_FALSE(check_model(model_of(conv_of("n"), 13), target_named("stm32n6")).fits())
      << "its opset is too old";
}

TEST(Check, OperatorsWithoutKernelStayFloatAndAreNoMisfit) {
  const CheckResult result = check_model(
      model_of(
          "(float[1,4] x) => (float[1,4] y) <float s = {0.05}, int8 n = {0}, int8[4,4] w ="
          " {1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}, float ws = {0.01}> { xq = QuantizeLinear(x, s, n)"
          " xd = DequantizeLinear(xq, s, n) wd = DequantizeLinear(w, ws, n) c = Gemm(xd, wd)"
          " q = QuantizeLinear(c, s, n) d = DequantizeLinear(q, s, n) y = Softmax(d) }",
          15),
      target_named("stm32n6"));
  EXPECT_TRUE(result.fits());
  EXPECT_EQ(node_of(result, "Softmax")->verdict, Verdict::floating);
  EXPECT_EQ(node_of(result, "Softmax")->reason,
            "the target has no integer Softmax; it runs on the CPU of the microcontroller");
}

TEST(Check, AFloatModelDoesNotFit) {
  const CheckResult result =
      check_model(model_of("(float[1,4] x) => (float[1,4] y) <float[4,4] w = "
                           "{1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}> { y = MatMul(x, w) }"),
                  target_named("onnxruntime"));
  EXPECT_FALSE(result.fits());
  EXPECT_EQ(result.model_wide.front().reason, "no node would run in integers");
  EXPECT_EQ(result.macs, 16);
  EXPECT_EQ(result.integer_macs, 0);
  EXPECT_EQ(check_line(result),
            "0 nodes in integers, 1 in float, 0 misfits and 1 of the model as a whole; 0.00 % of "
            "0.0 million MACs in integers");
}

TEST(Check, ProductsOfFreeLengthsAreSaidToBeOfOne) {
  const auto line = [](const std::string& shape) {
    return check_line(
        check_model(model_of("(float[" + shape +
                             ",4] x) => (y) <float[4,4] w = "
                             "{1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}> { y = MatMul(x, w) }"),
                    target_named("onnxruntime")));
  };
  EXPECT_TRUE(contains(line("1,T"), "free lengths counted as 1"));
  EXPECT_FALSE(contains(line("N,3"), "free lengths")) << "a batch is one sample";
}

TEST(Check, OperatorsOnCodesAreReadByThoseThatTakeThem) {
  const Model model = model_of("(uint8[1,2,4,4] x) => (uint8[1,4,4,4] y)" + constants +
                               "{ c = QLinearConv(x, s, z, w, ws, wz, s, z, b) y = "
                               "com.microsoft.QLinearAdd(c, s, z, c, s, z, s, z) }");
  const CheckResult ours = check_model(model, target_named("onnxruntime"));
  EXPECT_TRUE(ours.fits());
  EXPECT_EQ(ours.nodes.size(), 2u);
  EXPECT_EQ(ours.integer_macs, 4 * 16 * 2);
  const CheckResult theirs = check_model(model, target_named("openvino"));
  EXPECT_FALSE(theirs.fits());
  EXPECT_NE(theirs.model_wide.front().reason.find("QLinearConv"), std::string::npos);
}

TEST(Check, SaturationIsFoundInTheWeights) {
  const std::string text =
      "(float[1,4] x) => (float[1,2] y) <float s = {0.05}, uint8 z = {100}, int8 n = {0}, "
      "int8[4,2] w ="
      " {100,100, 100,-100, 1,1, 1,1}, float ws = {0.01}> { xq = QuantizeLinear(x, s, z)"
      " xd = DequantizeLinear(xq, s, z) wd = DequantizeLinear(w, ws, n) c = MatMul(xd, wd)"
      " q = QuantizeLinear(c, s, z) y = DequantizeLinear(q, s, z) }";
  const CheckResult vnni = check_model(model_of(text), target_named("onnxruntime"));
  EXPECT_TRUE(vnni.fits());
  EXPECT_EQ(vnni.nodes.front().saturating_pairs, 1) << "100 and 100, but not 100 and -100";
  EXPECT_EQ(vnni.nodes.front().pairs, 4);
  const CheckResult avx2 = check_model(model_of(text), target_named("onnxruntime-avx2"));
  EXPECT_FALSE(avx2.fits());
  EXPECT_EQ(avx2.nodes.front().reason,
            "1 of 4 pairs of products could saturate, in 1 of 2 channels");
}

// Ahead of any rule: what no runtime can read.
TEST(Check, BrokenPairs) {
  const auto reason = [](const std::string& initializers, const std::string& axis) {
    Model model = model_of("(uint8[2,3] x) => (float[2,3] y) <" + initializers +
                           "> { y = DequantizeLinear " + axis + " (x, s, z) }");
    return malformed(*model.graph().nodes().front()).reason;
  };
  EXPECT_EQ(reason("float[3] s = {1,2,3}, uint8[3] z = {0,0,0}", "<axis = 1>"), "");
  EXPECT_NE(reason("float s = {0}, uint8 z = {0}", "").find("a scale is 0"), std::string::npos);
  EXPECT_NE(reason("float s = {-1}, uint8 z = {0}", "").find("a scale is -1"), std::string::npos);
  EXPECT_NE(
      reason("float[3] s = {1,2,3}, uint8[2] z = {0,0}", "").find("2 zero points for 3 scales"),
      std::string::npos);
  EXPECT_NE(reason("float[3] s = {1,2,3}, uint8[3] z = {0,0,0}", "<axis = 0>")
                .find("3 scales do not fit axis 0"),
            std::string::npos);
  EXPECT_NE(reason("float s = {1}, int8 z = {0}", "").find("zero point of type int8"),
            std::string::npos);
}

TEST(Check, MemoryIsThatOfTheWidestStep) {
  const CheckResult result = check_model(model_of(conv_of("z")), target_named("onnxruntime"));
  // Codes of input and result of the convolution, 32 and 64 bytes; the float ends are four times as
  // large.
  EXPECT_EQ(result.memory.activations, 64 + 4 * 64);
  EXPECT_TRUE(result.memory.complete);
  EXPECT_GT(result.memory.weights, 8 + 16 * 3);
}

TEST(Check, AFewProductsAmongConversionsAreNoGain) {
  CheckResult small;
  small.integer_macs = 100'000;
  small.conversions = 4;
  EXPECT_LT(predicted_gain(small), 0);
  CheckResult large = small;
  large.integer_macs = 300'000'000;
  EXPECT_GT(predicted_gain(large), 0);
  const CheckResult counted = check_model(model_of(conv_of("z")), target_named("onnxruntime"));
  EXPECT_EQ(counted.conversions, 2);
  EXPECT_GT(counted.converted, 0);
}

// --- What targets take of some operators alone ---

// x and u behind pairs of this type and zero point, then the node that makes r, then a pair.
std::string between_pairs(const std::string& node, const std::string& zero,
                          const std::string& inputs = "float[1,2,4,4] x, float[1,2,4,4] u") {
  return "(" + inputs + ") => (float[1,2,4,4] y)" + constants + "{ xq = QuantizeLinear(x, s, " +
         zero + ") xd = DequantizeLinear(xq, s, " + zero + ") uq = QuantizeLinear(u, s, " + zero +
         ") ud = DequantizeLinear(uq, s, " + zero + ") " + node + " q = QuantizeLinear(r, s, " +
         zero + ") y = DequantizeLinear(q, s, " + zero + ") }";
}

Verdict verdict_of(const std::string& graph, std::string_view op, const std::string& target) {
  return node_of(check_model(model_of(graph), target_named(target)), op)->verdict;
}

TEST(Check, OpenvinoReadsSignedCodesOfAConcatWrong) {
  const std::string concat = "r = Concat<axis = 1>(xd, ud)";
  EXPECT_EQ(verdict_of(between_pairs(concat, "n"), "Concat", "openvino"), Verdict::misfit);
  EXPECT_EQ(verdict_of(between_pairs(concat, "z"), "Concat", "openvino"), Verdict::integer);
  EXPECT_EQ(verdict_of(between_pairs(concat, "n"), "Concat", "rknn"), Verdict::integer);
}

TEST(Check, OpenvinoMultipliesTwoActivationsInFloat) {
  const std::string product = "r = MatMul(xd, ud)";
  EXPECT_EQ(verdict_of(between_pairs(product, "z"), "MatMul", "openvino"), Verdict::floating);
  EXPECT_EQ(verdict_of(between_pairs(product, "z"), "MatMul", "rknn"), Verdict::integer);
}

TEST(Check, OpenvinoResizesToTheNearestAlone) {
  const auto resized = [](const std::string& mode) {
    return between_pairs("r = Resize<mode = \"" + mode + "\">(xd, , sizes)", "z");
  };
  const auto with_sizes = [](std::string text) {
    return text.replace(text.find("int32[4] b"), 0, "float[4] sizes = {1, 1, 1, 1}, ");
  };
  EXPECT_EQ(verdict_of(with_sizes(resized("nearest")), "Resize", "openvino"), Verdict::integer);
  EXPECT_EQ(verdict_of(with_sizes(resized("linear")), "Resize", "openvino"), Verdict::floating);
}

TEST(Check, OpenvinoTransposesConvolutionsOfCentredCodes) {
  const auto transposed = [](const std::string& zero) {
    return between_pairs("vd = DequantizeLinear(v, s, n) r = ConvTranspose(xd, vd)", zero);
  };
  const auto with_weights = [](std::string text) {
    return text.replace(text.find("int32[4] b"), 0, "int8[2,2,1,1] v = {1, 2, 3, 4}, ");
  };
  EXPECT_EQ(verdict_of(with_weights(transposed("z")), "ConvTranspose", "openvino"),
            Verdict::floating);
  EXPECT_EQ(verdict_of(with_weights(transposed("n")), "ConvTranspose", "openvino"),
            Verdict::integer);
}

std::string wide_reasons(const Model& model, const std::string& target) {
  std::string text;
  for (const NodeCheck& entry : check_model(model, target_named(target)).model_wide)
    text += entry.reason + "\n";
  return text;
}

TEST(Check, OpenLengthsDoNotFitWhatNeedsShapes) {
  std::string open = conv_of("z");
  open.replace(open.find("float[1,2,4,4]"), 14, "float[N,2,4,4]");
  for (const char* target : {"qnn", "rknn"}) {
    EXPECT_NE(wide_reasons(model_of(open), target).find("input 'x' [N,2,4,4]"), std::string::npos);
    EXPECT_EQ(wide_reasons(model_of(conv_of("z")), target), "");
  }
  EXPECT_EQ(wide_reasons(model_of(open), "onnxruntime"), "");
}

TEST(Check, NewerOpsetsThanTheTargetReadsDoNotFit) {
  EXPECT_NE(wide_reasons(model_of(conv_of("z"), 21), "rknn").find("has opset 21"),
            std::string::npos);
  EXPECT_EQ(wide_reasons(model_of(conv_of("z"), 19), "rknn"), "");
  Model newer = model_of(conv_of("z"), 26);
  EXPECT_EQ(wide_reasons(newer, "onnxruntime"), "");
  newer.set_ir_version(14);
  EXPECT_NE(wide_reasons(newer, "onnxruntime").find("IR version 14"), std::string::npos);
  EXPECT_NE(wide_reasons(model_of(conv_of("z"), 27), "onnxruntime").find("has opset 27"),
            std::string::npos);
}

// The session would not be created at all.
TEST(Check, QnnTakesZeroPointsOfWeightsWithOneScaleAlone) {
  std::string shifted = conv_of("z");
  shifted.replace(shifted.find("wz = {0, 0, 0, 0}"), 17, "wz = {5, 5, 5, 5}");
  EXPECT_EQ(verdict_of(shifted, "Conv", "qnn"), Verdict::misfit);
  EXPECT_EQ(verdict_of(conv_of("z"), "Conv", "qnn"), Verdict::integer);
}

}  // namespace
}  // namespace intaglio::testing
