#include "lib/exec/infer.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "lib/graph/model.h"
#include "tests/support/text_model.h"

namespace intaglio {
namespace {

// What is said of a graph; empty: it is sound.
std::string said_of(const std::string& graph, int opset = 14) {
  const Model model = testing::TextModel().opset(opset).model(graph);
  try {
    require_valid(model);
  } catch (const Error& e) {
    EXPECT_NE(e.code(), Code::internal);
    return e.what();
  }
  return "";
}

std::string conv(const std::string& filters, const std::string& attributes) {
  return "(float[1,4,8,8] x) => (y) { w = Constant <value = float" + filters + "> () y = Conv <" +
         attributes + "> (x, w) }";
}

TEST(Validate, GroupsStridesAndDilationsArePositive) {
  const std::string filters = "[2,1,1,1] {1, 2}";
  EXPECT_EQ(said_of(conv(filters, "group = 2")), "");
  for (const char* attribute : {"group = 0", "group = -1", "strides = [1, 0]", "dilations = [0, 1]",
                                "kernel_shape = [0, 1]"}) {
    const std::string said = said_of(conv(filters, attribute));
    const std::string name = std::string(attribute).substr(0, std::string(attribute).find(' '));
    EXPECT_NE(said.find("Conv node making 'y'"), std::string::npos) << attribute << ": " << said;
    EXPECT_NE(said.find("'" + name + "'"), std::string::npos) << said;
    EXPECT_NE(said.find("1 or more"), std::string::npos) << said;
  }
}

TEST(Validate, FiltersHoldSomethingAndSplitIntoGroups) {
  EXPECT_NE(said_of(conv("[0,4,1,1] {}", "group = 1")).find("'w' of shape [0,4,1,1] hold nothing"),
            std::string::npos);
  EXPECT_NE(said_of(conv("[2,1] {1, 2}", "group = 1")).find("must have 3 or more axes"),
            std::string::npos);
  EXPECT_NE(said_of(conv("[3,1,1,1] {1, 2, 3}", "group = 2")).find("the 2 groups"),
            std::string::npos);
  for (const char* kernel : {"[1]", "[1, 1, 1]", "[2, 1]"})
    EXPECT_NE(said_of(conv("[1,4,1,1] {1, 2, 3, 4}", std::string("kernel_shape = ") + kernel))
                  .find("are not those of attribute 'kernel_shape'"),
              std::string::npos)
        << kernel;
}

TEST(Validate, FactorsOfAGemmAreMatrices) {
  const std::string said = said_of(
      "(float[1,4] x) => (float[1,4] y) { w = Constant <value = float[4] {1, 2, 3, 4}> () "
      "y = Gemm(x, w) }");
  EXPECT_NE(said.find("('w') of shape [4] must have 2 axes"), std::string::npos) << said;
}

TEST(Validate, NoMoreOutputsThanTheOperatorHas) {
  EXPECT_NE(said_of("(float[2,4] x) => (int64[2] y) { y, y2, y3 = Shape(x) }")
                .find("has 3 outputs: Shape of opset 14 has 1"),
            std::string::npos);
  EXPECT_EQ(said_of("(float[2,4] x, int64[1] k) => (int64[2,1] y) { v, y = TopK(x, k) }"), "");
  EXPECT_EQ(
      said_of("(float[2,4] x) => (float[2,2] a, float[2,2] b) { a, b = Split <axis = 1> (x) }"),
      "");
}

TEST(Validate, NestedGraphsAreLookedAt) {
  EXPECT_NE(said_of(R"((bool c, float[2,4] x) => (float[2] y) {
        y = If (c) <
          then_branch = t () => (float[2] a) { s, s2 = Shape(x) a = Cast <to = 1> (s) },
          else_branch = e () => (float[2] b) { b = Constant <value = float[2] {1, 2}> () }
        >
      })")
                .find("Shape node making 's'"),
            std::string::npos);
}

TEST(Validate, InputsHaveTypes) {
  EXPECT_EQ(said_of("(x) => (y) { y = Neg(x) }"), "graph input 'x' has no type");
}

// --- By the operator's schema ---

void expect_said(const std::string& graph, const std::vector<std::string>& parts, int opset = 14) {
  const std::string said = said_of(graph, opset);
  for (const std::string& part : parts)
    EXPECT_NE(said.find(part), std::string::npos)
        << graph << "\n  lacks: " << part << "\n  " << said;
}

TEST(Validate, InputsThatTheOperatorNeeds) {
  expect_said("(float[2,4] x) => (y) { y = MatMul(x) }",
              {"MatMul node making 'y'", "has 1 input", "MatMul of opset 14 has 2"});
  expect_said("(float[2,4] x) => (y) { y = Relu(x, x) }",
              {"has 2 inputs", "Relu of opset 14 has 1"});
  Model model = testing::TextModel().model("(float[2,4] x) => (y) { y = MatMul(x, x) }");
  model.graph().set_input(*model.graph().nodes().front(), 0, nullptr);
  try {
    require_valid(model);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("input 1 ('A') is left out"), std::string::npos);
  }
  EXPECT_EQ(said_of("(float[1,4] x) => (y) <float hi = {1}> { y = Clip(x, , hi) }"), "");
  // Left out at the end is not there.
  EXPECT_EQ(said_of("(float[1,4] x) => (y) { y = Clip(x, , ) }"), "");
}

TEST(Validate, AttributesOfTheKindsThatTheOperatorHas) {
  const std::string relu = "(float[2,4] x) => (y) { y = Relu <slope = 1> (x) }";
  expect_said(relu, {"Relu node making 'y'", "attribute 'slope'", "has none of this name"});
  expect_said("(float[2,4] x) => (y) { y = Concat(x, x) }", {"attribute 'axis' is missing"});
  expect_said("(float[2,4] x) => (y) { y = Concat <axis = 1.5> (x, x) }",
              {"attribute 'axis' is a float", "must be an integer"});
  expect_said("(float[2,4] x) => (y) { y = Transpose <perm = 1> (x) }",
              {"attribute 'perm' is an integer", "must be a list of integers"});
}

TEST(Validate, OperatorsOfOnnxExist) {
  expect_said("(float[2,4] x) => (y) { y = Nothing(x) }",
              {"Nothing node making 'y'", "has no kernel", "no operator of this name"});
  expect_said("(float[2,4] x) => (y) { y = Gelu(x) }",
              {"Gelu node making 'y'", "since opset 20", "imports opset 14"});
  EXPECT_EQ(said_of("(float[2,4] x) => (y) { y = Gelu(x) }", 20), "");
  // onnxruntime has some of them under every opset.
  EXPECT_EQ(said_of("(float[2,4] x, float[4] s) => (y) { y = LayerNormalization(x, s) }"), "");
}

TEST(Validate, OperatorsOfOtherDomainsAreData) {
  const Model model = testing::TextModel()
                          .domain("my.own")
                          .domain("com.microsoft")
                          .model(
                              "(float[2,4] x) => (y) { a = my.own.Anything <odd = 1> (x, , x) "
                              "b = com.microsoft.Gelu <new_attribute = 1> (a) y = Relu(b) }");
  EXPECT_NO_THROW(require_valid(model));
}

TEST(Validate, ElementTypesFit) {
  expect_said("(int64[2,4] x) => (y) { y = Sigmoid(x) }",
              {"Sigmoid node making 'y'", "input 1 ('x') is of type int64"});
  expect_said("(float[2,4] x, double[2,4] z) => (y) { y = Add(x, z) }",
              {"inputs 1 and 2 must be of one type", "'x' is of type float, 'z' of type double"});
  // Of values that nodes make, as inference finds them.
  expect_said("(float[2,4] x) => (y) { s = Shape(x) y = Add(x, s) }",
              {"inputs 1 and 2 must be of one type"});
  expect_said("(float[2,4] x) => (int64[2,4] y) { y = Relu(x) }",
              {"output 'y' is of type float, where the model says int64"});
}

TEST(Validate, OutputsAreOfTheShapeThatTheModelStates) {
  for (const char* shape : {"[2,5]", "[8]", "[2,4,1]"})
    expect_said(std::string("(float[2,4] x) => (float") + shape + " y) { y = Relu(x) }",
                {"Relu node making 'y'", "output 'y' is of shape [2,4]", "the model says"});
  for (const char* shape : {"[2,4]", "[N,4]", "[2,K]"})
    EXPECT_EQ(said_of(std::string("(float[2,4] x) => (float") + shape + " y) { y = Relu(x) }"), "");
  EXPECT_EQ(said_of("(float[N,4] x) => (float[1,4] y) { y = Relu(x) }"), "");
  // With a free axis it is a warning: runtimes go by what comes out.
  EXPECT_EQ(said_of("(float[N,4] x) => (float[1,4,1] y) { y = Relu(x) }"), "");
}

// --- By bounds ---

TEST(Validate, AxesLieInsideTheRank) {
  expect_said("(float[2,4] x) => (y) { y = Softmax <axis = 2> (x) }",
              {"attribute 'axis' is 2", "input 1 has 2 axes", "between -2 and 1"});
  EXPECT_EQ(said_of("(float[2,4] x) => (y) { y = Softmax <axis = -2> (x) }"), "");
  EXPECT_EQ(said_of("(float[2,4] x) => (y) { y = Flatten <axis = 2> (x) }"), "");
  expect_said("(float[2,4] x) => (y) { y = Flatten <axis = 3> (x) }", {"between -2 and 2"});
  // The rank of what a node makes.
  expect_said(
      "(float[2,4] x) => (y) <int64[3] to = {2,2,2}> "
      "{ r = Reshape(x, to) y = Softmax <axis = 3> (r) }",
      {"attribute 'axis' is 3", "input 1 has 3 axes"});
}

TEST(Validate, SequencesAreReversedAlongTheFirstTwoAxes) {
  const auto reverse = [](const std::string& axes) {
    return "(float[2,3] x, int64[2] n) => (y) { y = ReverseSequence <" + axes + "> (x, n) }";
  };
  EXPECT_EQ(said_of(reverse("batch_axis = 0, time_axis = 1")), "");
  expect_said(reverse("batch_axis = 7, time_axis = 9223372036854775807"),
              {"ReverseSequence node making 'y'", "attribute 'batch_axis' is 7", "0 or 1"});
}

TEST(Validate, PermutationsHoldEachAxisOnce) {
  for (const char* perm : {"[0, 0]", "[0]", "[1, 2]", "[0, 1, 2]"})
    expect_said(std::string("(float[2,4] x) => (y) { y = Transpose <perm = ") + perm + "> (x) }",
                {"attribute 'perm'", "each axis of the input, 0 to 1, once"});
}

TEST(Validate, WordsAreThoseOfTheOperator) {
  expect_said(
      "(float[1,1,4,4] x, float[1,1,1,1] w) => (y) "
      "{ y = Conv <auto_pad = \"SAME\"> (x, w) }",
      {"attribute 'auto_pad' is 'SAME'", "one of NOTSET SAME_UPPER"});
}

TEST(Validate, RanksOfWeightsAndShapes) {
  expect_said("(float[1,1,4,4] x, float[1,1] w) => (y) { y = Conv(x, w) }",
              {"input 2 ('w') of shape [1,1] must have 3 or more axes"});
  expect_said("(float[1,1,4] x, float[1,1,1,1] w) => (y) { y = Conv(x, w) }",
              {"do not fit an input of shape [1,1,4]"});
  expect_said(
      "(float[3,1,4] x, float[8,4] w, float[1,8,2] r) => (y) "
      "{ y = LSTM <hidden_size = 2> (x, w, r) }",
      {"input 2 ('w') of shape [8,4] must have 3 axes"});
}

TEST(Validate, PoolsNeedSpatialAxes) {
  for (const char* shape : {"float", "float[4]", "float[1,4]"})
    expect_said("(" + std::string(shape) + " x) => (y) { y = MaxPool <kernel_shape = [1]> (x) }",
                {"MaxPool node making 'y'", "must have 3 or more axes"});
  EXPECT_EQ(said_of("(float[1,1,4] x) => (y) { y = MaxPool <kernel_shape = [2]> (x) }"), "");
}

TEST(Validate, ScalesAreFiniteAndPositive) {
  const auto quantize = [](const std::string& scale) {
    return "(float[2,4] x) => (y) <float s = {" + scale +
           "}, uint8 z = {0}> "
           "{ y = QuantizeLinear(x, s, z) }";
  };
  EXPECT_EQ(said_of(quantize("0.5")), "");
  for (const char* scale : {"0", "-0.5"})
    expect_said(quantize(scale), {"scale 's' holds", "finite and more than 0"});
}

TEST(Validate, ElementTypesHaveNumbers) {
  // To float6e3m2, which this program does not compute with.
  EXPECT_EQ(said_of("(float[2,4] x) => (y) { y = Cast <to = 28> (x) }", 25), "");
  for (const char* to : {"0", "29"})
    expect_said(std::string("(float[2,4] x) => (y) { y = Cast <to = ") + to + "> (x) }",
                {"attribute 'to' is " + std::string(to), "number of an element type"});
}

TEST(Validate, ResizeIsToldTheLengthsOnce) {
  const auto resize = [](const std::string& inputs) {
    return "(float[1,1,2,2] x) => (y) <float[4] s = {1,1,2,2}, int64[4] z = {1,1,4,4}, "
           "float[0] none = {}> { y = Resize(" +
           inputs + ") }";
  };
  for (const char* inputs : {"x, , s", "x, , , z", "x, none, s", "x, none, none, z"})
    EXPECT_EQ(said_of(resize(inputs)), "") << inputs;
  for (const char* inputs : {"x", "x, none, none"})
    expect_said(resize(inputs), {"Resize node making 'y'", "neither scales nor sizes"});
  expect_said(resize("x, , s, z"), {"scales and sizes"});
}

TEST(Validate, SizesAreLengths) {
  const auto resize = [](const std::string& sizes) {
    return "(float[1,1,2,2] x) => (y) <int64[4] z = {" + sizes +
           "}> { y = Resize <keep_aspect_ratio_policy = \"not_larger\"> (x, , , z) }";
  };
  EXPECT_EQ(said_of(resize("1, 1, 4, 4"), 18), "");
  EXPECT_EQ(said_of(resize("1, 1, 4, 9223372036854775807"), 18), "");
  expect_said(resize("1, 1, 4, -9223372036854775807"), {"Resize node making 'y'", "a size is -"},
              18);
}

TEST(Validate, PartsOfASequenceHaveLengths) {
  const auto split = [](const std::string& parts) {
    return "(float[4,2] x) => (y) <" + parts +
           "> { s = SplitToSequence(x, p) y = SequenceLength(s) }";
  };
  for (const char* parts : {"int64 p = {2}", "int64[2] p = {4, 0}"})
    EXPECT_EQ(said_of(split(parts)), "") << parts;
  expect_said(split("int64[2] p = {5, -1}"), {"SplitToSequence node making 's'", "parts 'p' hold"});
}

TEST(Validate, LabelsHaveOneAxisLessThanScores) {
  const std::string loss = "(float[2,3,4] x, int64[2,4] t) => (y) { y = SoftmaxCrossEntropyLoss";
  EXPECT_EQ(said_of(loss + "(x, t) }"), "");
  expect_said("(float[2,3] x, int64[2,1] t) => (y) { y = NegativeLogLikelihoodLoss(x, t) }",
              {"labels 't' of shape [2,1] do not fit scores of shape [2,3]"});
}

TEST(Validate, PadsHaveTwoForEachAxis) {
  for (const char* pads : {"int64[4] p = {0,0,1,1}", "int64[3] p = {0,0,1}", "int64[0] p = {}"}) {
    const std::string said =
        said_of("(float[2,4] x) => (y) <" + std::string(pads) + "> { y = Pad(x, p) }");
    EXPECT_EQ(said.empty(), std::string(pads).starts_with("int64[4]")) << said;
  }
}

TEST(Validate, SplitIsToldThePartsOnce) {
  expect_said("(float[2,4] x, int64[2] p) => (y, z) { y, z = Split <num_outputs = 2> (x, p) }",
              {"Split node making 'y'", "'num_outputs'"}, 18);
  EXPECT_EQ(said_of("(float[2,4] x) => (y, z) { y, z = Split <num_outputs = 2> (x) }", 18), "");
}

// --- Shapes ---

TEST(Validate, ShapesFitEachOther) {
  expect_said("(float[2,4] x, float[3,5] w) => (y) { y = MatMul(x, w) }",
              {"MatMul node making 'y'"});
  expect_said("(float[2,4] x, float[3,5] w) => (y) { y = Add(x, w) }", {"Add node making 'y'"});
  // What is not known may fit.
  EXPECT_EQ(said_of("(float[2,K] x, float[3,5] w) => (y) { y = MatMul(x, w) }"), "");
}

// Floats beyond integers are the largest integer, and such a length is not known.
TEST(Validate, DepthsBeyondIntegers) {
  for (const char* depth : {"3", "1e38", "-1e38"}) {
    const std::string said = said_of("(int64[2] i) => (y) <float d = {" + std::string(depth) +
                                     "}, float[2] v = {0, 1}> { y = OneHot(i, d, v) }");
    EXPECT_EQ(said, "") << depth;
  }
}

// A branch that is not taken need not fit.
TEST(Validate, BranchesNeedNotFit) {
  EXPECT_EQ(said_of(R"((float[2,3] x, bool c) => (y) {
        y = If (c) <
          then_branch = t () => (float[2,3] a) { a = Relu(x) },
          else_branch = e () => (b) { b = Softmax <axis = 5> (x) }
        >
      })"),
            "");
}

// --- Versions ---

TEST(Validate, VersionsAreKnown) {
  for (const int opset : {999, -1}) {
    Model model = testing::TextModel().model("(float[2] x) => (y) { y = Abs(x) }");
    model.set_opset("", opset);
    EXPECT_THROW(require_valid(model), Error) << opset;
  }
  const Model model = testing::TextModel().ir(99).model("(float[2] x) => (y) { y = Abs(x) }");
  EXPECT_THROW(require_valid(model), Error);
}

}  // namespace
}  // namespace intaglio
