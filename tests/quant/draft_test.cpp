// What the draft quantizes, where pairs go, and the reasons it gives.
#include "lib/quant/draft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "lib/exec/infer.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Target onnxruntime() { return read_target(testing::source_dir() / "configs" / "onnxruntime.json"); }

Target tflite() { return read_target(testing::source_dir() / "configs" / "tflite-like.json"); }

struct Drafted {
  Model model;
  Plan plan;
  std::set<std::string> values() const {
    std::set<std::string> names;
    for (const auto& a : plan.activations) names.insert(a.name);
    return names;
  }
  const NodePlan& node(const std::string& output) const {
    for (const NodePlan& n : plan.nodes)
      if (n.output == output) return n;
    throw std::runtime_error("no node makes " + output);
  }
};

Drafted drafted(const std::string& body, const std::string& inputs, const std::string& outputs,
                const Target& target = onnxruntime(), const Selection& selection = {}) {
  Model model = TextModel().typed("(" + inputs + ") => (" + outputs + ") " + body);
  Plan plan = draft(model.graph(), target, selection);
  return {std::move(model), std::move(plan)};
}

const std::string conv_inputs = "float[1,2,4,4] x";
const std::string weights = "<float[2,2,1,1] w = {1,2,3,4}, float[2] b = {1,2}> ";

TEST(Draft, NoPairBetweenConvolutionAndActivation) {
  for (const char* op : {"Relu", "Clip"}) {
    const auto d = drafted(weights + "{ c = Conv(x, w, b) y = " + op + "(c) }", conv_inputs,
                           "float[1,2,4,4] y");
    EXPECT_EQ(d.values(), (std::set<std::string>{"x", "y"})) << op;
    EXPECT_TRUE(d.node("y").quantized);
    EXPECT_NE(d.node("y").reason.find("fused into"), std::string::npos);
    EXPECT_TRUE(d.node("c").bias.has_value());
  }
}

// Codes reach over 0, the result of the Clip does not: the convolution would run in float.
TEST(Draft, AClipOnOneSideOfZeroHasAPairBeforeIt) {
  const auto clipped = [](const char* lo, const char* hi) {
    return drafted(
               fmt::format(
                   "<float[2,2,1,1] w = {{1,2,3,4}}, float lo = {{{}}}, float hi = {{{}}}> {{ c "
                   "= Conv(x, w) k = Clip(c, lo, hi) y = Conv(k, w) z = Relu(y) }}",
                   lo, hi),
               conv_inputs, "float[1,2,4,4] z")
        .values();
  };
  EXPECT_TRUE(clipped("0.1", "10").contains("c"));
  EXPECT_TRUE(clipped("-4", "-1").contains("c"));
  EXPECT_FALSE(clipped("0", "10").contains("c"));
  EXPECT_FALSE(clipped("-1", "10").contains("c"));
}

// A convolution of `channels` channels with an activation, or something else, behind it.
Drafted convolved(int channels, const std::string& behind, const Target& target = onnxruntime()) {
  return drafted(fmt::format("<float[1,{0},1,1] w = {{{1}}}, float[1] b = {{1}}> "
                             "{{ c = Conv(x, w, b) {2} }}",
                             channels, fmt::join(std::vector<int>(channels, 1), ","), behind),
                 fmt::format("float[1,{},4,4] x", channels), "float[1,1,N,N] y", target);
}

// Without codes between the two, a runtime would compute both in float.
TEST(Draft, OtherActivationsHaveAPairBeforeThemUnlessAccuracyIsAskedFor) {
  for (const char* op : {"LeakyRelu", "Elu"}) {
    const std::string behind = fmt::format("y = {}(c)", op);
    const auto fast = convolved(33, behind);
    EXPECT_EQ(fast.values(), (std::set<std::string>{"x", "c", "y"})) << op;
    const auto accurate = convolved(33, behind, placed_for_accuracy(onnxruntime()));
    EXPECT_EQ(accurate.values(), (std::set<std::string>{"x", "y"})) << op;
  }
}

TEST(Draft, BehindFewProductsOtherActivationsHaveNoPairBeforeThem) {
  const auto d = convolved(32, "y = LeakyRelu(c)");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "y"}));
  EXPECT_EQ(d.node("c").reason, "computes in float with LeakyRelu: few products a result");
  EXPECT_TRUE(d.node("c").quantized) << "its weights and what it reads";
  EXPECT_TRUE(d.node("c").bias.has_value());
  EXPECT_EQ(d.node("y").reason, "fused into Conv");
}

TEST(Draft, NorHasAPoolBetweenFewProductsAndTheirActivation) {
  const std::string pooled = "p = MaxPool<kernel_shape = [2, 2]>(c) ";
  const auto d = convolved(27, pooled + "y = LeakyRelu(p)");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "y"}));
  EXPECT_FALSE(d.node("p").quantized);
  EXPECT_EQ(d.node("y").reason, "fused into Conv");
  EXPECT_EQ(convolved(33, pooled + "y = LeakyRelu(p)").values(),
            (std::set<std::string>{"x", "c", "p", "y"}));
  EXPECT_EQ(convolved(27, pooled + "y = Add(p, p)").values(),
            (std::set<std::string>{"x", "c", "p", "y"}));
}

TEST(Draft, FewProductsThatSomebodyElseReadsHaveAPair) {
  EXPECT_EQ(convolved(3, "l = LeakyRelu(c) y = Add(l, c)").values(),
            (std::set<std::string>{"x", "c", "l", "y"}));
  EXPECT_EQ(
      convolved(3, "p = MaxPool<kernel_shape = [1, 1]>(c) l = LeakyRelu(p) y = Add(l, c)").values(),
      (std::set<std::string>{"x", "c", "p", "l", "y"}));
}

// Depthwise products are few as well, and much faster in integers.
TEST(Draft, FewProductsInGroupsHaveAPair) {
  const auto d = drafted(
      "<float[16,1,1,1] w = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7}>"
      "{ c = Conv<group = 16>(x, w) y = LeakyRelu(c) }",
      "float[1,16,4,4] x", "float[1,16,4,4] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c", "y"}));
}

// onnxruntime takes 2 to 10 times as long for these in integers; what follows them in their size
// stays float with them.
TEST(Draft, DepthwiseConvolutionsOfFewChannelsStayFloat) {
  const std::string chain = "{ c = Conv<group = 2>(x, w) r = Relu(c) y = Conv(r, v) }";
  const std::string constants = "<float[2,1,1,1] w = {1,2}, float[2,2,1,1] v = {1,2,3,4}>";
  const auto d = drafted(constants + chain, conv_inputs, "float[1,2,4,4] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"r", "y"}));
  EXPECT_NE(d.node("c").reason.find("depthwise, of 2 channels"), std::string::npos)
      << d.node("c").reason;
  EXPECT_FALSE(d.node("r").quantized);

  const auto one = drafted("<float[1,1,3,3] w = {1,2,3,4,5,6,7,8,9}> { y = Conv(x, w) }",
                           "float[1,1,4,4] x", "float[1,1,2,2] y");
  EXPECT_TRUE(one.values().empty());
  EXPECT_NE(one.node("y").reason.find("one channel to one"), std::string::npos);

  Target npu = onnxruntime();
  npu.engine = Engine::pairs;
  EXPECT_TRUE(drafted(constants + chain, conv_inputs, "float[1,2,4,4] y", npu).node("c").quantized);
}

// Codes between float operators would be rounded and turned back at once.
TEST(Draft, ArithmeticThatOnlyFloatOperatorsReadStaysFloat) {
  const auto d = drafted(
      "<float[4,4] w = {1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}>"
      "{ m = MatMul(x, w) a = Add(m, x) r = Reshape(a, s) y = Erf(r) }",
      "float[4,4] x, int64[1] s", "float[16] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x"})) << "not m either: MatMul gives floats";
  EXPECT_TRUE(d.node("m").quantized);
  for (const char* name : {"a", "r"})
    EXPECT_EQ(d.node(name).reason, "only operators that stay float read its result") << name;
}

TEST(Draft, APoolWithItsClipStaysFloatWhereOnlyFloatsReadIt) {
  const auto d = drafted(
      weights +
          "{ c = Conv(x, w, b) m = Mul(c, c) p = GlobalAveragePool(m) k = Relu(p) y = Log(k) }",
      conv_inputs, "float[1,2,1,1] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c"}));
}

TEST(Draft, ArithmeticThatOneQuantizedOperatorReadsHasCodes) {
  const auto d = drafted(
      "<float[4,4] w = {1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}>"
      "{ a = Add(x, x) e = Erf(a) y = MatMul(a, w) }",
      "float[4,4] x", "float[4,4] y, float[4,4] e");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "a"}));
}

TEST(Draft, APreActivationThatSomebodyElseReadsGetsItsPair) {
  const auto d = drafted(weights + "{ c = Conv(x, w, b) r = Relu(c) y = Add(r, c) }", conv_inputs,
                         "float[1,2,4,4] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c", "r", "y"}));
}

TEST(Draft, PairsAroundBothInputsAndTheOutputOfAdd) {
  const auto d =
      drafted("{ s = Add(x, z) y = Relu(s) }", "float[1,4] x, float[1,4] z", "float[1,4] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "z", "y"}));
}

TEST(Draft, AConstantOperandIsStoredAsAnActivation) {
  const auto d =
      drafted("<float[4] k = {1,2,3,4}> { y = Mul(x, k) }", "float[1,4] x", "float[1,4] y");
  ASSERT_EQ(d.node("y").constants.size(), 1u);
  EXPECT_EQ(d.node("y").constants[0].input, 1u);
  EXPECT_EQ(d.node("y").constants[0].scheme.type, DType::u8);
}

TEST(Draft, MoversShareTheParametersOfTheirInput) {
  const auto d =
      drafted(weights + "{ c = Conv(x, w) p = MaxPool<kernel_shape = [2, 2]>(c) y = Flatten(p) }",
              conv_inputs, "float[1,18] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c", "p", "y"}));
  EXPECT_EQ(d.plan.find("p")->group, "c");
  EXPECT_EQ(d.plan.find("y")->group, "c");
  EXPECT_EQ(d.plan.find("x")->group, "x");
}

// The mover is listed before the node that makes its input quantized.
TEST(Draft, MoversDoNotDependOnTheOrderOfNodes) {
  const std::string inputs = "float[1,2,4,4] x";
  const auto a = drafted(weights + "{ t = Transpose(x) u = Relu(t) c = Conv(x, w) }", inputs,
                         "float[4,4,2,1] u, float[1,2,4,4] c");
  EXPECT_TRUE(a.node("t").quantized);
  EXPECT_EQ(a.plan.find("t")->group, "x");
}

TEST(Draft, AMoverOfFloatsStaysFloat) {
  const auto d = drafted("{ t = Transpose(x) y = Exp(t) }", "float[2,3] x", "float[3,2] y");
  EXPECT_FALSE(d.node("t").quantized);
  EXPECT_EQ(d.node("t").reason, "its input is not quantized");
  EXPECT_NE(d.node("y").reason.find("does not quantize Exp"), std::string::npos);
  EXPECT_TRUE(d.values().empty());
}

TEST(Draft, ConcatTiesItsInputsAndItsOutput) {
  const auto d = drafted("{ a = Sigmoid(x) c = Concat<axis = 0>(a, z) y = Mul(c, c) }",
                         "float[1,4] x, float[1,4] z", "float[2,4] y");
  EXPECT_EQ(d.plan.find("c")->group, d.plan.find("a")->group);
  EXPECT_EQ(d.plan.find("z")->group, d.plan.find("a")->group);
  EXPECT_NE(d.plan.find("x")->group, d.plan.find("a")->group);
}

TEST(Draft, ChannelAxes) {
  const auto conv = drafted(weights + "{ y = Conv(x, w) }", conv_inputs, "float[1,2,4,4] y");
  EXPECT_EQ(conv.node("y").constants[0].scheme.axis, 0);
  const auto up = drafted("<float[2,3,1,1] w = {1,2,3,4,5,6}> { y = ConvTranspose(x, w) }",
                          conv_inputs, "float[1,3,4,4] y");
  EXPECT_EQ(up.node("y").constants[0].scheme.axis, 1);
  const auto gemm =
      drafted("<float[2,3] w = {1,2,3,4,5,6}> { y = Gemm(x, w) }", "float[1,2] x", "float[1,3] y");
  EXPECT_EQ(gemm.node("y").constants[0].scheme.axis, 1);
  const auto gemm_t = drafted("<float[3,2] w = {1,2,3,4,5,6}> { y = Gemm<transB = 1>(x, w) }",
                              "float[1,2] x", "float[1,3] y");
  EXPECT_EQ(gemm_t.node("y").constants[0].scheme.axis, 0);
  const auto matmul = drafted("<float[2,3] w = {1,2,3,4,5,6}> { y = MatMul(x, w) }", "float[1,2] x",
                              "float[1,3] y");
  EXPECT_EQ(matmul.node("y").constants[0].scheme.axis, 1);
}

TEST(Draft, PerTensorWhenTheTargetSaysSo) {
  Target target = onnxruntime();
  target.per_channel = false;
  const auto d = drafted(weights + "{ y = Conv(x, w) }", conv_inputs, "float[1,2,4,4] y", target);
  EXPECT_FALSE(d.node("y").constants[0].scheme.axis.has_value());
}

TEST(Draft, MatMulOfTwoActivationsHasNoWeights) {
  const auto d =
      drafted("{ y = MatMul(x, z) r = Add(y, y) }", "float[2,3] x, float[3,2] z", "float[2,2] r");
  EXPECT_TRUE(d.node("y").quantized);
  EXPECT_TRUE(d.node("y").constants.empty());
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "z", "y", "r"}));
}

TEST(Draft, EveryFloatNodeSaysWhy) {
  const auto d = drafted("{ s = Shape(x) f = Cast<to = 1>(s) e = Exp(x) c = Conv(x, k) }",
                         "float[1,2,4,4] x, float[2,2,1,1] k",
                         "float[4] f, float[1,2,4,4] e, float[1,2,4,4] c");
  for (const NodePlan& node : d.plan.nodes) {
    EXPECT_FALSE(node.quantized) << node.op;
    EXPECT_FALSE(node.reason.empty()) << node.op;
  }
  EXPECT_EQ(d.node("s").reason, "computes on int64: nothing to quantize");
  EXPECT_EQ(d.node("c").reason, "its weight is computed while the model runs");
}

TEST(Draft, PadWithAConstantThatIsNotZeroHasARangeOfItsOwn) {
  const std::string pads = "<int64[4] p = {0,0,1,1}, float zero = {0.0}, float one = {1.0}> ";
  const auto zero =
      drafted(pads + "{ a = Add(x, x) y = Pad(a, p, zero) }", "float[1,4] x", "float[2,5] y");
  EXPECT_EQ(zero.plan.find("y")->group, zero.plan.find("a")->group);
  const auto one =
      drafted(pads + "{ a = Add(x, x) y = Pad(a, p, one) }", "float[1,4] x", "float[2,5] y");
  EXPECT_NE(one.plan.find("y")->group, one.plan.find("a")->group);
}

TEST(Draft, NodesWithoutANameGoByTheirFirstOutput) {
  Selection no_sum;
  no_sum.exclude = {"s"};
  const auto d = drafted("{ s = Add(x, z) y = Mul(s, z) }", "float[1,4] x, float[1,4] z",
                         "float[1,4] y", onnxruntime(), no_sum);
  EXPECT_EQ(d.node("s").reason, "excluded by `exclude` s");
  EXPECT_TRUE(d.node("y").quantized);
}

TEST(Draft, ExcludedNodesStayFloatAndOpsCanBeChosen) {
  Selection no_add;
  no_add.exclude_ops = {"Add"};
  const auto d = drafted("{ s = Add(x, z) y = Mul(s, z) }", "float[1,4] x, float[1,4] z",
                         "float[1,4] y", onnxruntime(), no_add);
  EXPECT_FALSE(d.node("s").quantized);
  EXPECT_EQ(d.node("s").reason, "excluded by `exclude-op` Add");
  EXPECT_TRUE(d.node("y").quantized);
}

TEST(Draft, APatternThatMatchesNothingIsAnError) {
  Selection selection;
  selection.exclude = {"no_such_node"};
  EXPECT_THROW(drafted("{ y = Relu(x) }", "float[1] x", "float[1] y", onnxruntime(), selection),
               Error);
  selection.exclude = {"(unclosed"};
  EXPECT_THROW(drafted("{ y = Relu(x) }", "float[1] x", "float[1] y", onnxruntime(), selection),
               Error);
  Selection ops;
  ops.include_ops = {"Conv"};
  EXPECT_THROW(drafted("{ y = Relu(x) }", "float[1] x", "float[1] y", onnxruntime(), ops), Error);
}

TEST(Draft, ScoresThatOnlyLeaveTheGraphStayFloat) {
  const std::string w = "<float[2,3] w = {1,2,3,4,5,6}> ";
  const auto last =
      drafted(w + "{ g = Gemm(x, w) y = Flatten(g) }", "float[1,2] x", "float[1,3] y");
  EXPECT_TRUE(last.node("g").quantized);
  EXPECT_EQ(last.values(), (std::set<std::string>{"x"}));
  const auto read = drafted(w + "{ g = Gemm(x, w) y = Softmax(g) }", "float[1,2] x",
                            "float[1,3] y, float[1,3] g");
  EXPECT_EQ(read.values(), (std::set<std::string>{"x"}));
  EXPECT_EQ(read.node("y").reason, "onnxruntime computes Softmax faster in float, and exactly");
}

TEST(Draft, TheBiasOfALastMatMulStaysFloat) {
  const auto d =
      drafted("<float[2,2] w = {1,2,3,4}, float[2] b = {1,2}> { m = MatMul(x, w) y = Add(m, b) }",
              "float[1,2] x", "float[1,2] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x"}));
  EXPECT_TRUE(d.node("m").quantized);
  EXPECT_EQ(d.node("y").reason, "its result leaves the graph in float");
  const auto residual = drafted(
      "<float[2,2] w = {1,2,3,4}, float[2] b = {1,2}> { r = Relu(x) m = MatMul(r, w) a = Add(m, b) "
      "y = "
      "Add(r, a) }",
      "float[1,2] x", "float[1,2] y");
  EXPECT_FALSE(residual.node("y").quantized);
  EXPECT_FALSE(residual.node("a").quantized);
  EXPECT_TRUE(residual.node("m").quantized);
}

// A convolution has no form on codes with a float result: scores are worth one in float where it is
// a small part of the network.
TEST(Draft, ALastConvolutionIsFloatWhereItIsFewProducts) {
  const auto net = [](int channels, const Target& target) {
    const std::string inner = fmt::format(
        "<float[{0},2,1,1] w = {{{1}}}, float[1,{0},1,1] v = {{{2}}}, float[1] b = {{1}}> ",
        channels, fmt::join(std::vector<int>(2 * channels, 1), ","),
        fmt::join(std::vector<int>(channels, 1), ","));
    return drafted(inner +
                       "{ c = Conv<strides = [1, 1]>(x, w) r = Relu(c) p = MaxPool<kernel_shape "
                       "= [4, 4]>(r) y = Conv(p, v, b) }",
                   conv_inputs, "float[1,1,N,N] y", target);
  };
  const auto small = net(8, onnxruntime());  // 8 of 264 products
  EXPECT_FALSE(small.node("y").quantized);
  EXPECT_EQ(small.node("y").reason,
            "its result leaves the graph in float, for 3.0 % of the products");
  EXPECT_EQ(small.values(), (std::set<std::string>{"x", "r"}));
  EXPECT_TRUE(net(8, tflite()).node("y").quantized) << "an NPU would hand it to a processor";
  const auto inside =
      drafted(weights +
                  "{ c = Conv(x, w, b) r = Relu(c) p = MaxPool<kernel_shape = "
                  "[4, 4]>(r) m = Conv(p, w) e = Conv(m, w) s = Relu(e) }",
              conv_inputs, "float[1,2,1,1] s", onnxruntime(),
              {.include = {}, .exclude = {"e", "s"}, .include_ops = {}, .exclude_ops = {}});
  EXPECT_TRUE(inside.node("m").quantized) << "a layer behind it was left float";
  const auto alone = drafted(weights + "{ y = Conv(x, w) }", conv_inputs, "float[1,2,4,4] y");
  EXPECT_EQ(alone.values(), (std::set<std::string>{"x", "y"})) << "all of the products";
}

TEST(Draft, ASmallConvolutionThatIsNormalizedByChannelIsFloat) {
  const std::string image = "float[1,2,16,16] x";
  const auto d =
      drafted("<float[1,2,1,1] a = {1,2}, float[32,1,1,1] w = {" +
                  fmt::format("{}", fmt::join(std::vector<int>(32, 1), ",")) +
                  "}, float[1] one = {1}, float[1,32,1,1] u = {" +
                  fmt::format("{}", fmt::join(std::vector<int>(32, 1), ",")) +
                  "}> { c = Conv(x, a) n = InstanceNormalization(c, one, one) d = Conv(n, w) "
                  "r = Relu(d) e = Conv(r, u) s = Relu(e) }",
              image, "float[1,1,16,16] s");
  EXPECT_EQ(d.node("c").reason,
            "its result is normalized channel by channel, for 3.0 % of the products");
  EXPECT_TRUE(d.node("d").quantized);
}

// As many paths as 2^200.
TEST(Draft, LongArithmeticAtTheEndIsWalkedOnce) {
  std::string body = weights + "{ c = Conv(x, w, b) r = Relu(c) m = Conv(r, w) v0 = Erf(m) ";
  for (int i = 0; i < 200; ++i)
    body += fmt::format("a{0} = Erf(v{0}) b{0} = Exp(v{0}) v{1} = Add(a{0}, b{0}) ", i, i + 1);
  const auto d = drafted(body + "y = Erf(v200) }", conv_inputs, "float[1,2,4,4] y");
  EXPECT_TRUE(d.node("c").quantized);
}

// Attention: floats are faster between the two products, and masks have no room in codes.
TEST(Draft, SoftmaxAndItsMaskStayFloat) {
  const auto d = drafted(
      "<float[2,2] w = {1,2,3,4}, float[1,2] m = {0, -10000}> { s = MatMul(x, w) a = Add(s, m) p = "
      "Softmax(a) y = MatMul(p, z) }",
      "float[1,2] x, float[2,2] z", "float[1,2] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "p", "z"}));
  EXPECT_EQ(d.node("a").reason, "only operators that stay float read its result");
}

// With codes as inputs and outputs no result may be a float.
TEST(Draft, WhatStaysFloatInsideHasCodesAtTheEndWhereResultsMustHaveThem) {
  Target target = onnxruntime();
  for (auto& [op, rule] : target.ops) rule.float_output = false;
  const auto d = drafted("<float[2,2] w = {1,2,3,4}> { g = MatMul(x, w) y = Softmax(g) }",
                         "float[1,2] x", "float[1,2] y", target);
  EXPECT_TRUE(d.node("y").quantized);
}

// gamma and beta of a normalization that is written out, the last steps of Gelu: no codes between
// floats.
TEST(Draft, ArithmeticOnFloatsOfItsSizeStaysFloat) {
  const auto d = drafted(
      "<float[4] g = {1,2,3,4}, float[4,4] w = {1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}>"
      "{ e = Erf(x) m = Mul(e, g) a = Add(m, g) y = MatMul(a, w) }",
      "float[4,4] x", "float[4,4] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"a"}));
  for (const char* name : {"m", "a"})
    EXPECT_EQ(d.node(name).reason, "what it reads is computed in float") << name;
  const auto gelu = drafted(
      "<float[2,2,1,1] w = {1,2,3,4}, float[2] b = {1,2}, float one = {1}> { c = Conv(x, w, b) e = "
      "Erf(c) p = Add(e, one) m = Mul(c, p) y = Conv(m, w) r = Relu(y) z = Conv(r, w) s = Relu(z) "
      "}",
      conv_inputs, "float[1,2,4,4] s");
  EXPECT_EQ(gelu.values(), (std::set<std::string>{"x", "c", "m", "r", "s"}));
}

// A gate of one value a channel: its float costs nothing, the image in codes does.
TEST(Draft, ArithmeticWithASmallFloatOperandHasCodes) {
  const auto d = drafted(
      weights +
          "{ c = Conv(x, w, b) p = GlobalAveragePool(c) e = Erf(p) m = Mul(c, e) y = Conv(m, "
          "w) z = Conv(y, w) }",
      conv_inputs, "float[1,2,4,4] z");
  EXPECT_TRUE(d.values().contains("e"));
  EXPECT_TRUE(d.node("m").quantized);
}

// Values of several readers end the search: the stream of a network stays in codes.
TEST(Draft, AFloatBranchDoesNotTakeTheWholeStreamAlong) {
  const auto d = drafted(
      weights +
          "{ c = Conv(x, w, b) e = Erf(c) a = Add(c, e) f = Conv(a, w, b) s = Add(a, f) y = "
          "Conv(s, w) z = Conv(y, w) }",
      conv_inputs, "float[1,2,4,4] z");
  EXPECT_FALSE(d.node("a").quantized);
  EXPECT_TRUE(d.node("s").quantized);
}

TEST(Draft, AConstantThatHoldsInfinitiesLeavesItsNodeFloat) {
  const auto d = drafted("{ a = Add(x, k) y = MatMul(a, w) }",
                         "float[1,2] x, float[1,2] k, float[2,2] w", "float[1,2] y");
  EXPECT_TRUE(d.node("a").quantized);
  Model model = TextModel().model(
      "(float[1,2] x) => (float[1,2] y) <float[1,2] k = {0, 1}, float[2,2] w = {1,2,3,4}> { a = "
      "Add(x, k) y = MatMul(a, w) }");
  model.graph().find("k")->set_constant(
      Tensor::of<float>({1, 2}, {0, -std::numeric_limits<float>::infinity()}));
  infer_types(model);
  const Plan plan = draft(model.graph(), onnxruntime());
  EXPECT_FALSE(plan.nodes[0].quantized);
  EXPECT_NE(plan.nodes[0].reason.find("'k' holds infinities"), std::string::npos);
}

// The runtime's AveragePool on codes counts otherwise there.
TEST(Draft, AnAveragePoolThatTheKernelComputesOtherwiseStaysFloat) {
  const auto pooled = [](const std::string& attributes, const Target& target) {
    const auto d = drafted(weights + "{ c = Conv(x, w, b) p = AveragePool<" + attributes +
                               ">(c) y = Conv(p, w) z = Conv(y, w) }",
                           conv_inputs, "float[] z", target);
    return d.node("p").quantized;
  };
  const std::string beyond = "kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1";
  EXPECT_FALSE(pooled(beyond + ", count_include_pad = 1", onnxruntime()));
  EXPECT_TRUE(pooled(beyond + ", count_include_pad = 1", tflite()));
  EXPECT_TRUE(pooled(beyond, onnxruntime()));
  EXPECT_TRUE(
      pooled("kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1, count_include_pad = 1",
             onnxruntime()))
      << "no window reaches beyond";
}

// The runtime moves a Transpose through the Resize from one integer Conv to the next, and fails.
TEST(Draft, AConvolutionBehindACubicResizeToSmallerImagesStaysFloat) {
  const auto second = [](const std::string& mode, const std::string& first, const Target& target) {
    const std::string graph = "{ s = Constant <value = float[4] {1, 1, 0.5, 0.5}> () " + first +
                              " r = Resize<mode = \"" + mode +
                              "\">(c, , s) m = Relu(r) y = Conv(m, w) z = Conv(y, w) }";
    const auto d = drafted(weights + graph, conv_inputs, "float[] z", target);
    EXPECT_TRUE(d.node("z").quantized);
    return d.node("y").quantized;
  };
  EXPECT_FALSE(second("cubic", "c = Conv(x, w, b)", onnxruntime()));
  EXPECT_TRUE(second("cubic", "c = Identity(x)", onnxruntime())) << "no Conv in front";
  EXPECT_TRUE(second("linear", "c = Conv(x, w, b)", onnxruntime()));
  EXPECT_TRUE(second("cubic", "c = Conv(x, w, b)", tflite()));
}

// Softmax computes in float at the end of a graph, and what is pooled for it does, too.
TEST(Draft, WhatLeadsToScoresInFloatStaysFloat) {
  const std::string body =
      weights + "{ c = Conv(x, w, b) p = GlobalAveragePool(c) f = Flatten(p) y = Softmax(f) }";
  const auto d = drafted(body, conv_inputs, "float[1,2] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c"}));
  EXPECT_EQ(d.node("p").reason, "only operators that stay float read its result");
  const auto in_codes = drafted(body, conv_inputs, "float[1,2] y", tflite());
  EXPECT_EQ(in_codes.values(), (std::set<std::string>{"x", "c", "p", "f", "y"}));
}

// What joins scores with other things at a graph's end would give them one scale.
TEST(Draft, WhatJoinsOutputsStaysFloat) {
  const auto d =
      drafted(weights +
                  "{ c = Conv(x, w, b) s = Sigmoid(c) r = Conv(x, w) j = Concat<axis = 1>(r, s) "
                  "y = Transpose(j) }",
              conv_inputs, "float[4,4,4,1] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "c", "r"}));
  EXPECT_EQ(d.node("j").reason, "only operators that stay float read its result");
  EXPECT_EQ(d.node("s").reason, "only operators that stay float read its result");
}

// The compiler of such a target quantizes the result in any case, by a range of its own.
TEST(Draft, ResultsThatAlwaysHaveCodesKeepThem) {
  const std::string body =
      weights + "{ c = Conv(x, w, b) p = GlobalAveragePool(c) y = Softmax(p) }";
  const auto pooled = [&](const std::string& name) {
    return drafted(body, conv_inputs, "float[1,2,1,1] y",
                   read_target(testing::source_dir() / "configs" / (name + ".json")))
        .values()
        .contains("p");
  };
  EXPECT_TRUE(pooled("rknn"));
  EXPECT_FALSE(pooled("stm32n6"));
}

// An image is cut up and transposed in 8 bits, and may come as codes.
TEST(Draft, MoversOfAGraphInputMoveItsCodes) {
  const std::string focus =
      "<float[2,4,1,1] w = {1,2,3,4,5,6,7,8}, int64[1] zero = {0}, int64[1] one = {1}, int64[1] "
      "end = "
      "{9}, int64[1] axis = {3}, int64[1] two = {2}> "
      "{ t = Transpose<perm = [0,3,1,2]>(x) a = Slice(t, zero, end, axis, two) b = Slice(t, one, "
      "end, "
      "axis, two) j = Concat<axis = 1>(a, b) y = Conv(j, w) ";
  const auto d = drafted(focus + "}", "float[1,4,4,2] x", "float[1,2,4,2] y");
  EXPECT_EQ(d.values(), (std::set<std::string>{"x", "t", "a", "b", "j", "y"}));
  for (const char* value : {"t", "a", "b", "j"}) EXPECT_EQ(d.plan.find(value)->group, "x") << value;
  const auto mixed =
      drafted(focus + " z = Erf(b) }", "float[1,4,4,2] x", "float[1,2,4,2] y, float[1,2,4,2] z");
  EXPECT_FALSE(mixed.values().contains("t")) << "others read floats of it";
  const auto parts = drafted(
      "<float[2,2,1,1] w = {1,2,3,4}> { a, b = Split<axis = 1>(x) y = Conv(a, w) z = Erf(b) }",
      "float[1,4,4,2] x", "float[1,2,4,2] y, float[1,2,4,2] z");
  EXPECT_FALSE(parts.values().contains("x")) << "a part of it is read in float";
  const auto looked = drafted(
      "<float[2,2,1,1] w = {1,2,3,4}> { t = Transpose<perm = [0,3,1,2]>(x) y = Conv(t, w) z = "
      "Shape(x) }",
      "float[1,4,4,2] x", "float[1,2,4,4] y, int64[4] z");
  EXPECT_TRUE(looked.values().contains("x")) << "Shape reads no element";
}

TEST(PlanJson, RoundTrip) {
  auto d = drafted(weights + "{ c = Conv(x, w, b) y = Relu(c) }", conv_inputs, "float[1,2,4,4] y");
  for (auto& a : d.plan.activations) a.params = {DType::u8, {}, {0.5f}, {3}}, a.range = {-1, 2};
  for (auto& n : d.plan.nodes) {
    for (auto& c : n.constants) c.params = {DType::s8, 0, {0.25f, 0.125f}, {0, 0}};
    if (n.bias) n.bias->params = {DType::s32, 0, {0.1f, 0.2f}, {0, 0}};
  }
  const Json json = to_json(d.plan);
  EXPECT_EQ(to_json(plan_from_json(json, "test")), json);
}

TEST(PlanJson, RefusesUnknownKeysAndWrongValues) {
  const auto d = drafted("{ y = Relu(x) }", "float[1] x", "float[1] y");
  Json json = to_json(d.plan);
  json["surprise"] = 1;
  EXPECT_THROW(plan_from_json(json, "test"), Error);
  json = to_json(d.plan);
  json["activations"][0]["params"]["scale"] = {0.0};
  EXPECT_THROW(plan_from_json(json, "test"), Error);
}

}  // namespace
}  // namespace intaglio
