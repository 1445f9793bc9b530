// Types and shapes by our own rules; the conformance tests cover the operators one by one.
#include "lib/exec/infer.h"

#include <gtest/gtest.h>

#include "lib/exec/registry.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

Value& value(Model& model, std::string_view name) { return *model.graph().find(name); }

// "float[N,2]", "float?" without a rank, "?" without a type.
std::string type_of(const Value& value) {
  if (value.dtype() == DType::undefined) return "?";
  return std::string(name_of(value.dtype())) + (value.dims() ? to_string(*value.dims()) : "?");
}

// What is inferred, without the library, of the last value of a graph text.
std::string inferred(const std::string& graph, int opset = 21, const std::string& output = "y") {
  Model model = TextModel().opset(opset).domain("com.microsoft").model(graph);
  infer_types(model, false);
  return type_of(value(model, output));
}

TEST(InferTypes, EveryReferenceKernelHasARule) {
  for (const KernelDef& def : default_registry().all()) {
    if (def.impl != "ref") continue;
    EXPECT_NE(def.infer, nullptr) << def.domain << " " << def.op << " " << def.since;
  }
}

TEST(InferTypes, FillsInWhatFollowsAndLeavesWhatTheModelSaid) {
  Model model = TextModel().typed(R"((float[N,2] x) => (float[M,2] y) <float[2] w = {1, 2}> {
  s = Add (x, w)
  y = Relu (s)
})");
  EXPECT_EQ(type_of(value(model, "s")), "float[N,2]");
  EXPECT_EQ(type_of(value(model, "y")), "float[M,2]");
}

// An annotation that is wrong stays, and misleads nobody else.
TEST(InferTypes, AWrongAnnotationStaysWhereItIs) {
  Model model = TextModel().model(R"((float[2,3] x) => (y) {
  s = Transpose (x)
  y = Relu (s)
})");
  value(model, "s").set_type(DType::f32, Dims{{7, ""}});
  infer_types(model);
  EXPECT_EQ(type_of(value(model, "s")), "float[7]");
  EXPECT_EQ(type_of(value(model, "y")), "float[3,2]");
}

// What an earlier call found gives way to what follows now.
TEST(InferTypes, FollowsAModelThatIsEdited) {
  Model model =
      TextModel().typed("(float[2,6] x, int64[2] shape) => (y) { y = Reshape (x, shape) }");
  EXPECT_EQ(type_of(value(model, "y")), "float[?,?]");
  value(model, "shape").set_constant(Tensor::vector<std::int64_t>({3, -1}));
  infer_types(model);
  EXPECT_EQ(type_of(value(model, "y")), "float[3,4]");
}

TEST(InferTypes, KeepsGoingWithOperatorsThatNobodyKnows) {
  Model model = TextModel().domain("my").typed(R"((float[2,3] x) => (y) {
  a = Neg (x)
  b = my.Op (a)
  c = Neg (b)
  s = Shape (b)
  f = Cast <to = 1> (c)
  m = Flatten (f)
  y = Neg (a)
})");
  EXPECT_EQ(type_of(value(model, "a")), "float[2,3]");
  EXPECT_EQ(type_of(value(model, "b")), "?");
  EXPECT_EQ(type_of(value(model, "c")), "?");
  EXPECT_EQ(type_of(value(model, "s")), "int64[?]") << "whatever it is the shape of";
  EXPECT_EQ(type_of(value(model, "f")), "float?");
  EXPECT_EQ(type_of(value(model, "m")), "float[?,?]");
  EXPECT_EQ(type_of(value(model, "y")), "float[2,3]");
}

TEST(InferTypes, AsksTheLibraryForOperatorsWithoutAKernel) {
  const TextModel text = TextModel().opset(15).graph(R"((float[2,3] x) => (y) {
  b = RandomNormalLike (x)
  y = Neg (b)
})");
  Model model = text.typed(), alone = text.model();
  EXPECT_EQ(type_of(value(model, "y")), "float[2,3]");
  infer_types(alone, false);
  EXPECT_EQ(type_of(value(alone, "y")), "?");
}

// A node that makes no sense costs its own result at most.
TEST(InferTypes, AMalformedNodeCostsItselfAlone) {
  const std::string x = "(float[2,3,8,8] x, float[4,3,3,3] w, float[4,3] flat) => (y) ";
  EXPECT_EQ(inferred(x + "{ a = Transpose <perm = [0, 9, 1, 2]> (x)  y = Neg (x) }"),
            "float[2,3,8,8]");
  EXPECT_EQ(inferred(x + "{ y = Transpose <perm = [0, 9, 1, 2]> (x) }"), "float?");
  EXPECT_EQ(inferred(x + "{ y = Transpose <perm = \"up\"> (x) }"), "float?");
  EXPECT_EQ(inferred(x + "{ y = Concat <axis = 7> (x, x) }"), "float?");
  EXPECT_EQ(inferred(x + "{ y = Gather <axis = 9> (x, x) }"), "float?");
  EXPECT_EQ(inferred(x + "{ y = Conv <strides = [0, 0]> (x, w) }"), "float[2,4,?,?]");
  EXPECT_EQ(inferred(x + "{ y = Conv (x, flat) }"), "float[2,4,?,?]");
  EXPECT_EQ(inferred(x + "{ y = MaxPool <kernel_shape = [99, 99]> (x) }"), "float[?,?,?,?]");
  EXPECT_EQ(inferred(x + "<int64[2] s = {5, -1}> { y = Reshape (x, s) }"), "float[5,?]");
  EXPECT_EQ(inferred(x + "<int64[2] s = {0, 0}, int64[2] e = {1, 1}, int64[2] a = {0, 9}> "
                         "{ y = Slice (x, s, e, a) }"),
            "float[?,?,?,?]");
  EXPECT_EQ(inferred(x + "{ y = Split <axis = 1> () }"), "?");
  EXPECT_EQ(inferred(x + "{ y = Cast <to = \"a\"> (x) }"), "?");
  EXPECT_EQ(inferred(x + "{ y = Einsum <equation = \"ab->abc\"> (x) }"), "float?");
}

TEST(InferTypes, WindowsKeepTheNamesOfAxesThatTheyDoNotChange) {
  const std::string x = "(float[N,3,H,20] x, float[4,3,3,3] w) => (y) ";
  EXPECT_EQ(inferred(x + "{ y = Conv <pads = [1, 1, 1, 1]> (x, w) }"), "float[N,4,H,20]");
  EXPECT_EQ(inferred(x + "{ y = Conv <strides = [2, 2]> (x, w) }"), "float[N,4,?,9]");
  EXPECT_EQ(inferred(x + "{ y = Conv <auto_pad = \"SAME_UPPER\"> (x, w) }"), "float[N,4,H,20]");
  EXPECT_EQ(inferred("(float[N,3,H,20] x, float[3,2,2,2] w) => (y) "
                     "{ y = ConvTranspose <group = 3, strides = [2, 2]> (x, w) }"),
            "float[N,6,?,40]");
  EXPECT_EQ(
      inferred("(float[N,3,H,20] x) => (y) { y = AveragePool <kernel_shape = [3, 3], ceil_mode "
               "= 1, strides = [2, 2]> (x) }"),
      "float[N,3,?,10]");
}

TEST(InferTypes, ShapesAreFollowedElementByElement) {
  // [N, 3, 4, 5] to [N, 12, 5], as exporters write it.
  EXPECT_EQ(inferred(R"((float[N,3,4,5] x) => (y)
      <int64 zero = {0}, int64[1] front = {0}, int64[2] rest = {-1, 5}> {
  shape = Shape (x)
  n = Gather (shape, zero)
  batch = Unsqueeze (n, front)
  target = Concat <axis = 0> (batch, rest)
  y = Reshape (x, target)
})"),
            "float[N,12,5]");
  // The last two lengths doubled.
  EXPECT_EQ(inferred(R"((float[N,3,6,8] x) => (y)
      <int64[1] two = {2}, int64[1] four = {4}, int64[2] front = {1, 3}> {
  shape = Shape (x)
  size = Slice (shape, two, four)
  twice = Mul (size, two)
  target = Concat <axis = 0> (front, twice)
  y = ConstantOfShape (target)
})"),
            "float[1,3,12,16]");
}

// torch writes Expand with -1 for "as it is" in this way.
TEST(InferTypes, TheLengthOfAnAxisIsNeverMinusOne) {
  EXPECT_EQ(
      inferred(
          R"((float[N,M] a, float[1,M] x) => (y) <int64[1] minus = {-1}, int64[2] ones = {1, 1}> {
  shape = Shape (a)
  open = Equal (shape, minus)
  target = Where (open, ones, shape)
  y = Expand (x, target)
})"),
      "float[N,M]");
}

TEST(InferTypes, SplitSqueezeRangeAndCastPassElementsOn) {
  EXPECT_EQ(
      inferred(R"((float[N,7] x) => (y) <int64[1] axis = {0}, int64 zero = {0}, int64 one = {1}> {
  shape = Shape (x)
  n, m = Split <num_outputs = 2> (shape)
  narrow = Cast <to = 6> (n)
  wide = Cast <to = 7> (narrow)
  count = Squeeze (wide, axis)
  y = Range (zero, count, one)
})"),
      "int64[N]");
}

TEST(InferTypes, ResizesByScalesSizesAxesAndPolicies) {
  const std::string x =
      "(float[N,3,6,8] x) => (y) <float[2] s = {2, 1.5}, int64[2] n = {9, 16}, "
      "float[4] all = {1, 1, 2, 2}> ";
  EXPECT_EQ(inferred(x + "{ y = Resize (x, , all) }"), "float[N,3,12,16]");
  EXPECT_EQ(inferred(x + "{ y = Resize <axes = [2, 3]> (x, , s) }"), "float[N,3,12,12]");
  EXPECT_EQ(inferred(x + "{ y = Resize <axes = [-2, -1]> (x, , , n) }"), "float[N,3,9,16]");
  EXPECT_EQ(inferred(x + "{ y = Resize <axes = [2, 3], keep_aspect_ratio_policy = \"not_larger\"> "
                         "(x, , , n) }"),
            "float[N,3,9,12]");
  EXPECT_EQ(inferred(x + "{ y = Resize <axes = [2, 3], keep_aspect_ratio_policy = \"not_smaller\"> "
                         "(x, , , n) }"),
            "float[N,3,12,16]");
  EXPECT_EQ(inferred("(float[N,3,6,8] x, float[4] s) => (y) { y = Resize (x, , s) }"),
            "float[?,?,?,?]");
}

// The lengths of lists are enough for a rank.
TEST(InferTypes, TheRankFollowsWhereLengthsDoNot) {
  EXPECT_EQ(inferred("(float[2,3] x, int64[4] s) => (y) { y = Reshape (x, s) }"), "float[?,?,?,?]");
  EXPECT_EQ(inferred("(float[2,3] x, int64[3] s) => (y) { y = Expand (x, s) }"), "float[?,2,3]");
  EXPECT_EQ(inferred("(float[1,3] x, int64[1] a) => (y) { y = Squeeze (x, a) }"), "float[?]");
  EXPECT_EQ(inferred("(float[2,3,4] x, int64[2] a) => (y) { y = ReduceMax <keepdims = 0> (x, a) }"),
            "float[?]");
  EXPECT_EQ(inferred("(float[2,3] x) => (y) { y = NonZero (x) }"), "int64[2,?]");
  EXPECT_EQ(inferred("(int64[3] s) => (y) { y = ConstantOfShape (s) }"), "float[?,?,?]");
  EXPECT_EQ(inferred("(float[2,3] x, bool[3] c) => (y) { y = Compress <axis = 1> (x, c) }"),
            "float[2,?]");
}

TEST(InferTypes, KnowsTheOperatorsOfOnnxruntime) {
  const std::string x =
      "(float[N,5,8] x, float[8,12] m, float[8] g, float[N,3,9,9] i, float[4,3,3,3] w) => (y) ";
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.SkipLayerNormalization (x, x, g) }"), "float[N,5,8]");
  EXPECT_EQ(inferred(x + "{ a, , b, y = com.microsoft.SkipLayerNormalization (x, x, g) }"),
            "float[N,5,8]");
  EXPECT_EQ(inferred(x + "{ a, , y, b = com.microsoft.SkipLayerNormalization (x, x, g) }"),
            "float[N,5,1]");
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.BiasGelu (x, g) }"), "float[N,5,8]");
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.FusedMatMul (x, m) }"), "float[N,5,12]");
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.FusedMatMul <transB = 1> (x, x) }"), "float[N,5,5]");
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.FusedConv <activation = \"Relu\"> (i, w) }"),
            "float[N,4,7,7]");
  EXPECT_EQ(
      inferred(x + "{ y = com.microsoft.MatMulNBits <N = 12, K = 8, block_size = 16> (x, m, g) }"),
      "float[N,5,12]");
  EXPECT_EQ(inferred(x + "{ y = com.microsoft.MultiHeadAttention <num_heads = 2> (x, x, x) }"),
            "float[N,5,8]");
  EXPECT_EQ(inferred(x + "{ z, y = com.microsoft.MultiHeadAttention <num_heads = 2> (x, x, x) }"),
            "float[N,2,5,4]");
  const std::string group = "com.microsoft.GroupQueryAttention <num_heads = 2, kv_num_heads = 1> ";
  const std::string q =
      "(float[N,S,32] q, float[N,S,16] k, float[N,S,64] a, float[N,1,7,16] p, int32[N] l) => (y) "
      "<int32 t = {9}> { ";
  EXPECT_EQ(inferred(q + "y = " + group + "(q, k, k, , , l, t) }"), "float[N,S,32]");
  EXPECT_EQ(inferred(q + "y = " + group + "(a, , , , , l, t) }"), "float[N,S,32]");
  EXPECT_EQ(inferred(q + "z, y = " + group + "(q, k, k, , , l, t) }"), "float[N,1,9,16]");
  EXPECT_EQ(inferred(q + "z, y = " + group + "(q, k, k, p, p, l, t) }"), "float[N,1,9,16]");
  EXPECT_EQ(inferred("(uint8[50,16] d, int64[N,S] i, float[50,2] s) => (y) { y = "
                     "com.microsoft.GatherBlockQuantized <block_size = 16> (d, i, s) }"),
            "float[N,S,32]");
  EXPECT_EQ(inferred("(uint8[2,3] a, float s, uint8 z, uint8[1,3] b) => (y) "
                     "{ y = com.microsoft.QLinearAdd (a, s, z, b, s, z, s, z) }"),
            "uint8[2,3]");
}

TEST(InferTypes, BranchesAndLoops) {
  EXPECT_EQ(inferred(R"((float[N,3] x, bool c) => (y) {
  y = If (c) <then_branch = t () => (a) { a = Neg (x) },
              else_branch = e () => (b) <float[2,3] k = {1, 2, 3, 4, 5, 6}> { b = Identity (k) }>
})"),
            "float[?,3]");
  // What a body changes is given up, nothing else; each iteration adds a slice.
  const std::string loop = R"((float[N,3] x, int64 n, bool c) => (p, q, s) {
  p, q, s = Loop (n, c, x, x) <body = b (int64 i, bool go, a, b) => (go2, a2, b2, slice) {
    go2 = Identity (go)
    a2 = Relu (a)
    b2 = Concat <axis = 0> (b, a)
    slice = Neg (a2)
  }>
})";
  EXPECT_EQ(inferred(loop, 21, "p"), "float[N,3]");
  EXPECT_EQ(inferred(loop, 21, "q"), "float[?,3]");
  EXPECT_EQ(inferred(loop, 21, "s"), "float[?,N,3]");
  EXPECT_EQ(inferred(R"((float[3] h, float[L,3] x) => (z, y) {
  z, y = Scan (h, x) <num_scan_inputs = 1, body = b (s, e) => (s2, o) {
    s2 = Add (s, e)
    o = Identity (s2)
  }>
})"),
            "float[L,3]");
}

// The values inside have types too.
TEST(InferTypes, LooksIntoNestedGraphs) {
  Model model = TextModel().opset(17).typed(R"((float[4,3] x, bool c) => (y) {
  y = If (c) <then_branch = t () => (a) { a = Transpose (x) },
              else_branch = e () => (b) { b = Neg (x) }>
})");
  const Node& node = *value(model, "y").producer();
  EXPECT_EQ(type_of(*node.attr_graph("then_branch").find("a")), "float[3,4]");
}

TEST(InferTypes, LooksThroughFunctionsOfTheModel) {
  Model model =
      TextModel().opset(17).domain("my").typed(R"((float[4,3] x) => (y) { y = my.Turn (x) }
<domain: "my", opset_import: ["": 17]> Turn (a) => (b) { b = Transpose (a) })");
  EXPECT_EQ(type_of(value(model, "y")), "float[3,4]");
}

TEST(InferTypes, TakesEitherNameOfTheStandardDomain) {
  Model model = TextModel().opset(0).domain("ai.onnx", 13).typed(R"((float[2,3] x) => (y) {
  a = ai.onnx.Transpose (x)
  y = Neg (a)
})");
  EXPECT_EQ(type_of(value(model, "y")), "float[3,2]");
}

}  // namespace
}  // namespace intaglio
