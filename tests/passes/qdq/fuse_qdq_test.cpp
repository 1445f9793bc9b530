#include "lib/passes/qdq/fuse_qdq.h"

#include <fmt/format.h>

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

// Initializers of all models below.
constexpr std::string_view constants =
    "float s = {0.05}, uint8 z = {100}, float y_s = {0.04}, uint8 y_z = {128}, "
    "float six_s = {0.0235}, uint8 six_z = {0}, float lo = {0}, float hi = {6}, "
    "int8[3,2,1,1] w = {-100, 20, 127, -7, 64, 3}, float[3] w_s = {0.01, 0.02, 0.015}, "
    "int8[3] w_z = {0, 0, 0}, int32[3] b = {100, -200, 300}, "
    "float[3] b_s = {0.0005, 0.001, 0.00075}, float[3] wrong_s = {0.1, 0.1, 0.1}, "
    "float[3] near_s = {0.000504, 0.00101, 0.00075}, float[3] far_s = {0.00051, 0.001, 0.00075}, "
    "float one_s = "
    "{0.0005}, int32[3] off_z = {0, 1, 0}, int32[3] no_z = {0, 0, 0}, "
    "float[3] real_b = {0.05, -0.2, 0.225}, "
    "int8[2,3] m = {-100, 20, 127, -7, 64, 3}, int64[2] flat = {2, 12}";

// x is float[2,2,2,3]; its codes, dequantized, are xd.
Model model_of(const std::string& body, int opset = 13) {
  return TextModel()
      .opset(opset)
      .input("float[2,2,2,3] x")
      .output("float[] y")
      .constants(constants)
      .nodes("xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z)")
      .nodes("wd = DequantizeLinear <axis = 0> (w, w_s, w_z)")
      .nodes("bd = DequantizeLinear <axis = 0> (b, b_s)")
      .nodes(body)
      .typed();
}

// QuantizeLinear and DequantizeLinear of a value, making y.
std::string pair(const char* value, const char* scale = "y_s", const char* zero = "y_z") {
  return fmt::format(" q = QuantizeLinear({0}, {1}, {2})  y = DequantizeLinear(q, {1}, {2})", value,
                     scale, zero);
}

struct Fused {
  Model model;
  IntegerForm form;
  std::string ops;
};

// Fuses a model; its outputs may move by one level of the result.
Fused fuse(const std::string& body, double level = 0.0401, int opset = 13) {
  Model model = model_of(body, opset);
  const std::vector<Tensor> feeds = {random_tensor({2, 2, 2, 3}, 3, -4, 7)};
  const auto before = Executor(model.graph()).run(feeds);
  IntegerForm form = fuse_integers(model);
  const auto after = Executor(model.graph()).run(feeds);
  EXPECT_TRUE(close(after[0], before[0], 0, level)) << body;
  std::string ops = ops_of(model.graph());
  return {std::move(model), std::move(form), std::move(ops)};
}

// The reason why the first operator stays in float.
std::string reason_of(const std::string& body, double level = 1e-4) {
  const Fused fused = fuse(body, level);
  for (const IntegerDecision& d : fused.form.nodes)
    if (!d.integer()) return d.reason;
  return "";
}

TEST(IntegersFused, Convolutions) {
  for (const char* conv : {"c = Conv(xd, wd)", "c = Conv(xd, wd, bd)", "c = Conv(xd, wd, real_b)"})
    EXPECT_EQ(fuse(conv + pair("c")).ops, "QuantizeLinear QLinearConv DequantizeLinear") << conv;
  const Fused fused = fuse("c = Conv(xd, wd, real_b)" + pair("c"));
  const Node* conv = find_op(fused.model.graph(), "QLinearConv");
  EXPECT_EQ(conv->input(8)->constant().to_vector<int>(), (std::vector{100, -200, 300}));
}

TEST(IntegersFused, DropsAnActivationThatTheRangeImplies) {
  for (const char* body : {"c = Conv(xd, wd)  r = Relu(c)", "c = Conv(xd, wd)  r = Clip(c, lo, hi)",
                           "c = Add(xd, xd)  r = Relu(c)", "c = Conv(xd, wd)  r = Clip(c, lo)"}) {
    const Fused fused = fuse(body + pair("r", "six_s", "six_z"), 0.0236);
    EXPECT_EQ(ops_of(fused.model.graph()).find("Relu"), std::string::npos) << fused.ops;
    EXPECT_EQ(ops_of(fused.model.graph()).find("Clip"), std::string::npos) << fused.ops;
    EXPECT_TRUE(fused.form.nodes.front().integer()) << fused.form.nodes.front().reason;
  }
}

TEST(IntegersFused, KeepsAnActivationThatDoesSomething) {
  EXPECT_EQ(reason_of("c = Conv(xd, wd)  r = Relu(c)" + pair("r")),
            "the codes of its result reach beyond the bounds of Relu");
  EXPECT_EQ(reason_of("c = Conv(xd, wd)  r = Clip(c, lo, hi)" + pair("r", "s", "six_z")),
            "the codes of its result reach beyond the bounds of Clip");
  EXPECT_EQ(reason_of("c = Conv(xd, wd)  r = LeakyRelu(c)" + pair("r")),
            "LeakyRelu reads its result in float");
}

TEST(IntegersFused, ReasonsForConvolutions) {
  EXPECT_EQ(reason_of("c = Conv(x, wd)" + pair("c")), "input 0 is not dequantized");
  EXPECT_EQ(reason_of("y = Conv(xd, wd)"), "its result leaves the graph in float");
  EXPECT_EQ(reason_of("c = Conv(xd, wd)  d = Neg(c)" + pair("c") + " e = Neg(c)"),
            "its result has several readers");
  EXPECT_EQ(
      reason_of("k = DequantizeLinear <axis = 0> (b, wrong_s)  c = Conv(xd, wd, k)" + pair("c")),
      "the scale of its bias is not that of the products");
}

// onnxruntime 1.31 takes codes of a scale within 1 % as they are, and wants as many scales as the
// weights have.
TEST(IntegersFused, ScalesOfBiasesAgreeToOnePercent) {
  const auto reason = [](const std::string& bias, double level = 1e-4) {
    return reason_of("k = DequantizeLinear" + bias + "  c = Conv(xd, wd, k)" + pair("c"), level);
  };
  EXPECT_EQ(reason(" <axis = 0> (b, near_s)", 0.0401), "");
  EXPECT_EQ(reason(" <axis = 0> (b, b_s, no_z)", 0.0401), "");
  EXPECT_NE(reason(" <axis = 0> (b, far_s)"), "");
  EXPECT_NE(reason("(b, one_s)"), "");
  EXPECT_EQ(reason(" <axis = 0> (b, b_s, off_z)"), "the zero point of its bias is not 0");
}

TEST(IntegersFused, WeightsThatStayFloatAreDequantizedOnce) {
  EXPECT_EQ(fuse("y = Conv(xd, wd, bd)", 1e-4).ops, "QuantizeLinear DequantizeLinear Conv");
}

TEST(IntegersFused, MatrixProducts) {
  const std::string prepare =
      "t = Transpose <perm = [0, 2, 3, 1]> (xd)  md = DequantizeLinear <axis = 1> (m, w_s, w_z) ";
  EXPECT_EQ(fuse(prepare + "c = MatMul(t, md)" + pair("c")).ops,
            "QuantizeLinear Transpose QLinearMatMul DequantizeLinear");
  EXPECT_EQ(fuse(prepare + "y = MatMul(t, md)", 1e-4).ops,
            "QuantizeLinear Transpose MatMulIntegerToFloat");
  EXPECT_EQ(reason_of(prepare + "c = MatMul(t, md)  r = Relu(c)  y = Neg(r)"),
            "Relu reads its result in float");
}

TEST(IntegersFused, Gemm) {
  const std::string prepare =
      "p = GlobalAveragePool(xd)  pq = QuantizeLinear(p, s, z)  pd = DequantizeLinear(pq, s, z)"
      "  f = Flatten(pd)  fq = QuantizeLinear(f, s, z)  fd = DequantizeLinear(fq, s, z)"
      "  md = DequantizeLinear <axis = 1> (m, w_s, w_z) ";
  const std::string head = "QuantizeLinear QLinearGlobalAveragePool Flatten ";
  EXPECT_EQ(fuse(prepare + "c = Gemm(fd, md, bd)" + pair("c"), 0.2).ops,
            head + "QGemm DequantizeLinear");
  EXPECT_EQ(fuse(prepare + "c = Gemm(fd, md, real_b)" + pair("c"), 0.2).ops,
            head + "QGemm DequantizeLinear");
  EXPECT_EQ(fuse(prepare + "y = Gemm <beta = 1.0> (fd, md, bd)", 0.2).ops, head + "QGemm");
  EXPECT_EQ(reason_of(prepare + "y = Gemm(fd, md, real_b)", 0.2), "its bias is float");
  EXPECT_EQ(reason_of(prepare + "c = Gemm <alpha = 2.0> (fd, md, bd)" + pair("c"), 0.2),
            "alpha or beta is not 1");
}

TEST(IntegersFused, ElementwiseOperatorsAndPools) {
  for (const auto& [body, op] :
       {std::pair{"c = Add(xd, xd)", "QLinearAdd"},
        {"c = Mul(xd, xd)", "QLinearMul"},
        {"c = Sigmoid(xd)", "QLinearSigmoid"},
        {"c = LeakyRelu <alpha = 0.2> (xd)", "QLinearLeakyRelu"},
        {"c = AveragePool <kernel_shape = [2, 2]> (xd)", "QLinearAveragePool"},
        {"c = GlobalAveragePool(xd)", "QLinearGlobalAveragePool"},
        {"c = Softmax <axis = 1> (xd)", "QLinearSoftmax"},
        {"c = Concat <axis = 1> (xd, xd)", "QLinearConcat"}})
    EXPECT_EQ(fuse(body + pair("c")).ops,
              std::string("QuantizeLinear ") + op + " DequantizeLinear");
  EXPECT_EQ(reason_of("c = Add(xd, x)" + pair("c")), "input 1 is not dequantized");
  EXPECT_EQ(reason_of("c = Sub(xd, xd)" + pair("c")), "there is no integer form of it");
}

TEST(IntegersFused, MoversWorkOnCodes) {
  for (const char* body : {"c = Flatten(xd)", "c = MaxPool <kernel_shape = [2, 2]> (xd)",
                           "c = Reshape(xd, flat)", "c = Transpose(xd)"}) {
    const std::string ops = fuse(body + pair("c", "s", "z"), 0).ops;
    EXPECT_EQ(ops.find("DequantizeLinear"), ops.size() - std::string("DequantizeLinear").size())
        << ops;
  }
  EXPECT_EQ(reason_of("c = Flatten(xd)" + pair("c")), "its input and result have different scales");
  EXPECT_EQ(fuse("a, c = Split <axis = 2> (xd)  aq = QuantizeLinear(a, s, z)"
                 "  ad = DequantizeLinear(aq, s, z)" +
                     pair("c", "s", "z"),
                 0)
                .ops,
            "QuantizeLinear Split DequantizeLinear");
}

// A mover between a convolution and QuantizeLinear does not keep it from running on integers.
TEST(IntegersFused, QuantizesBeforeMovers) {
  EXPECT_EQ(fuse("c = Conv(xd, wd)  p = MaxPool <kernel_shape = [2, 2]> (c)" + pair("p")).ops,
            "QuantizeLinear QLinearConv MaxPool DequantizeLinear");
}

// As in the runtime: int8 becomes uint8 on its way to a single reader, and stays in float
// otherwise.
TEST(IntegersFused, SignedActivations) {
  const auto model = [](const char* more) {
    return TextModel()
        .input("float[2,2,2,3] x")
        .output("float[] y")
        .constants("float s = {0.05}, int8 n = {3}, int8[3,2,1,1] w = {-100, 20, 127, -7, 64, 3}")
        .constants("float[3] w_s = {0.01, 0.02, 0.015}, int8[3] w_z = {0, 0, 0}")
        .nodes("xq = QuantizeLinear(x, s, n) xd = DequantizeLinear(xq, s, n)")
        .nodes("wd = DequantizeLinear <axis = 0> (w, w_s, w_z) c = Conv(xd, wd)")
        .nodes("q = QuantizeLinear(c, s, n) y = DequantizeLinear(q, s, n)")
        .nodes(more)
        .model();
  };
  const std::vector<Tensor> feeds = {random_tensor({2, 2, 2, 3}, 3, -4, 7)};
  for (const char* more : {"", "t = Neg(xd)"}) {
    Model fused = model(more), direct = model(more);
    const auto expected = Executor(fused.graph()).run(feeds);
    const IntegerForm form = fuse_integers(fused);
    EXPECT_EQ(form.nodes.front().integer(), *more == 0) << form.nodes.front().reason;
    EXPECT_TRUE(close(Executor(fused.graph()).run(feeds)[0], expected[0], 0, 0.0501));
    EXPECT_TRUE(fuse_integers(direct, {.signed_activations = true}).nodes.front().integer());
    EXPECT_TRUE(close(Executor(direct.graph()).run(feeds)[0], expected[0], 0, 0.0501));
  }
}

TEST(IntegersFused, SixteenBitsStayFloat) {
  Model model = TextModel().opset(21).model(
      "(float[4] x) => (float[4] y) <float s = {0.01}, uint16 z = {100}> { a = QuantizeLinear(x, "
      "s, z) b = DequantizeLinear(a, s, z) c = Sigmoid(b) d = QuantizeLinear(c, s, z) y = "
      "DequantizeLinear(d, s, z) }");
  const IntegerForm form = fuse_integers(model);
  ASSERT_EQ(form.nodes.size(), 1u);
  EXPECT_EQ(form.nodes[0].reason, "codes of type uint16");
  EXPECT_EQ(form.nodes[0].why, Why::other);
}

// Code goes by the kind of a reason, not by its text.
TEST(IntegersFused, ReasonsHaveKinds) {
  const auto kind_of = [](const std::string& body) {
    const Fused fused = fuse(body, 1e-4);
    for (const IntegerDecision& d : fused.form.nodes)
      if (!d.integer()) return d.why;
    return Why::none;
  };
  EXPECT_EQ(kind_of("c = Conv(x, wd)" + pair("c")), Why::input_float);
  EXPECT_EQ(kind_of("y = Conv(xd, wd)"), Why::result_float);
  EXPECT_EQ(kind_of("c = Conv(xd, wd)  r = Relu(c)" + pair("r")), Why::beyond_bounds);
  EXPECT_EQ(kind_of("c = Sub(xd, xd)" + pair("c")), Why::no_form);
  EXPECT_EQ(kind_of("c = Flatten(xd)" + pair("c")), Why::scales_differ);
  EXPECT_EQ(
      kind_of("k = DequantizeLinear <axis = 0> (b, wrong_s)  c = Conv(xd, wd, k)" + pair("c")),
      Why::bias);
  EXPECT_EQ(kind_of("c = Conv(xd, wd)" + pair("c")), Why::none);
}

TEST(IntegersFused, KeepsWhatSomebodyLooksAt) {
  Model model = model_of("c = Conv(xd, wd)" + pair("c"));
  fuse_integers(model, {.keep = [](std::string_view name) { return name == "xd"; }});
  bool seen = false;
  Executor(model.graph())
      .run(std::vector{random_tensor({2, 2, 2, 3})},
           [&](const Value& value, const Tensor&) { seen |= value.name() == "xd"; });
  EXPECT_TRUE(seen);
}

// Any input may be missing; that is the executor's to report.
TEST(IntegersFused, LeavesMalformedNodesAlone) {
  const std::string body =
      "c = Conv(xd, wd, bd)  cq = QuantizeLinear(c, s, z)  cd = DequantizeLinear(cq, s, z)"
      "  p = MaxPool <kernel_shape = [2, 2]> (cd)  pq = QuantizeLinear(p, s, z)"
      "  pd = DequantizeLinear(pq, s, z)  j = Concat <axis = 1> (pd, pd)"
      "  jq = QuantizeLinear(j, s, z)  jd = DequantizeLinear(jq, s, z)"
      "  a, k = Split <axis = 1> (jd)  aq = QuantizeLinear(a, s, z)"
      "  kq = QuantizeLinear(k, s, z)  kd = DequantizeLinear(kq, s, z)"
      "  f = Flatten(kd)  md = DequantizeLinear <axis = 1> (m, w_s, w_z)"
      "  h = Gemm(f, md, bd)  r = Clip(h, lo, hi)" +
      pair("r", "six_s", "six_z");
  const std::size_t count = model_of(body).graph().nodes().size();
  for (std::size_t n = 0; n < count; ++n)
    for (std::size_t i = 0; i < 3; ++i) {
      Model model = model_of(body);
      Node& node = *model.graph().nodes()[n];
      if (node.input(i) == nullptr) continue;
      model.graph().set_input(node, i, nullptr);
      try {
        const IntegerForm form = fuse_integers(model);
        model.graph().verify();
        EXPECT_FALSE(form.nodes.empty()) << n << ' ' << i;
      } catch (const Error& e) {
        EXPECT_NE(e.code(), Code::internal) << node.label() << ' ' << i << ' ' << e.what();
      }
    }
}

TEST(IntegersFused, LeavesFloatModelsAlone) {
  Model model = TextModel().model("(float[2] x) => (float[2] y) { y = Relu(x) }");
  EXPECT_FALSE(has_quantized_values(model.graph()));
  EXPECT_TRUE(fuse_integers(model).nodes.empty());
}

// --- What the runtime makes of floats between pairs ---

Model between_pairs(const std::string& inputs, const std::string& nodes) {
  return TextModel()
      .input(inputs)
      .output("float[] y")
      .constants("float s = {0.05}, uint8 z = {100}, float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}")
      .constants("float[2] b = {0.5,-0.5}, float[1] one = {1}, int8[2,2] m = {-100,20,127,-7}")
      .constants("float m_s = {0.01}, int8 m_z = {0}, int32[2] c = {100,-200}")
      .constants("float c_s = {0.0005}")
      .nodes("xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z)")
      .nodes("md = DequantizeLinear(m, m_s, m_z) cd = DequantizeLinear(c, c_s)")
      .nodes(nodes)
      .typed();
}

std::string fate(const Model& model, const std::string& op, const IntegerOptions& options = {}) {
  Model copy = model.clone();
  for (const IntegerDecision& d : fuse_integers(copy, options).nodes)
    if (d.op == op) return d.integer() ? "integer" : d.reason;
  return "none";
}

const std::string coded = " q = QuantizeLinear(r, s, z) y = DequantizeLinear(q, s, z)";

TEST(FloatsBetweenPairs, WeightsAreQuantizedByTheRuntime) {
  const std::string image = "float[1,2,3,3] x";
  for (const char* nodes : {"r = Conv(xd, w, b)", "r = Conv(xd, w)"}) {
    const Model model = between_pairs(image, nodes + coded);
    EXPECT_EQ(fate(model, "Conv"), "integer") << nodes;
    EXPECT_NE(fate(model, "Conv", {.float_weights = false}), "integer") << nodes;
    Model fused = model.clone();
    fuse_integers(fused);
    const std::vector<Tensor> feeds = {random_tensor({1, 2, 3, 3}, 3, -4, 7)};
    EXPECT_TRUE(close(Executor(fused.graph()).run(feeds)[0], Executor(model.graph()).run(feeds)[0],
                      0, 0.1));
  }
  EXPECT_NE(fate(between_pairs(image, "k = Conv(xd, w, b) r = Erf(k)" + coded), "Conv"), "integer");
  EXPECT_NE(fate(between_pairs(image, "h = Max(xd) r = Conv(h, w, b)" + coded), "Conv"), "integer")
      << "nothing looks through a Max of one";
}

TEST(FloatsBetweenPairs, AMatMulAndItsAddAreOneGemm) {
  const std::string rows = "float[3,2] x";
  const auto product = [&](const std::string& nodes, const std::string& inputs) {
    return fate(between_pairs(inputs, "p = MatMul(xd, md) " + nodes), "MatMul");
  };
  const std::string refusal = "becomes a Gemm with the Add behind it, whose bias is float";
  EXPECT_EQ(product("a = Add(p, b) y = Erf(a)", rows), refusal);
  EXPECT_EQ(product("a = Add(b, p) y = Erf(a)", "float[N,2] x"), refusal);
  EXPECT_EQ(product("a = Add(p, b) y = Erf(a)", "float[2,3,2] x"), refusal);
  EXPECT_EQ(product("a = Add(p, b) y = Erf(a)", "float[N,3,2] x"), "integer") << "stays a MatMul";
  EXPECT_EQ(product("a = Add(p, cd) y = Erf(a)", rows), "integer") << "an int32 bias";
  EXPECT_EQ(product("r = Add(p, b)" + coded, rows), "integer") << "the bias is quantized with it";
  EXPECT_EQ(product("a = Sum(p, b) y = Erf(a)", rows), "integer");
  EXPECT_EQ(product("a = Add(p, one) y = Erf(a)", rows), "integer") << "no bias of two columns";
}

}  // namespace
}  // namespace intaglio::testing
