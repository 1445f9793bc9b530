// Products with weights that alone are codes, as ONNX Runtime runs them at its defaults.
#include <fmt/format.h>

#include <cmath>

#include "lib/exec/infer.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

Model model_of(const std::string& body) {
  std::string codes;
  for (int i = 0; i < 80; ++i) codes += fmt::format("{}{}", i > 0 ? "," : "", i * 53 % 255 - 127);
  return TextModel()
      .input("float[3,40] x")
      .output("float[] y")
      .constants(fmt::format("int8[40,2] w = {{{0}}}, int8[2,40] v = {{{0}}}", codes))
      .constants("float[2] s = {0.01, 0.02}, float one = {0.01}, int8[2] z = {0, 3}")
      .constants("float[2] b = {1, 2}, float as = {0.1}, uint8 az = {128}")
      .nodes(body)
      .typed();
}

const std::string by_column = "d = DequantizeLinear <axis = 1> (w, s, z) ";

// Each block of 32 values of a row as 127 steps of its largest magnitude.
Tensor in_blocks(Tensor x) {
  const auto v = x.mutate<float>();
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t at = 0; at < 40; at += 32) {
      const auto block = v.subspan(row * 40 + at, std::min<std::size_t>(32, 40 - at));
      float most = 0;
      for (const float f : block) most = std::max(most, std::abs(f));
      for (float& f : block) f = std::round(f / most * 127) * (most / 127);
    }
  return x;
}

TEST(IntegersBlocks, TheirDataIsRoundedByBlock) {
  const Tensor x = random_tensor({3, 40}, 5, -2, 3);
  for (const std::string& body : {by_column + "y = MatMul(x, d)", by_column + "y = Gemm(x, d, b)",
                                  std::string("d = DequantizeLinear(w, one) y = MatMul(x, d)")}) {
    Model model = model_of(body);
    const Tensor expected = Executor(model.graph()).run({{in_blocks(x)}}).front();
    const Tensor plain = Executor(model.graph()).run({{x}}).front();
    const IntegerForm form = fuse_integers(model, {.blocks = true});
    EXPECT_EQ(ops_of(model.graph()), "MatMulNBits") << body;
    EXPECT_TRUE(form.nodes.at(0).integer());
    const Tensor y = Executor(model.graph()).run({{x}}).front();
    EXPECT_TRUE(close(y, expected, 1e-4, 1e-4)) << body;
    EXPECT_FALSE(close(y, plain, 1e-4, 1e-4)) << "rounding shows";
  }
}

// Codes of 40 rows by 2 columns of a type, and for each block of rows a scale and a zero point.
Model blocked(DType type, bool zero, std::int64_t block) {
  Model model = TextModel()
                    .opset(type == DType::u2 || type == DType::s2 ? 25 : 21)
                    .model(fmt::format(
                        "(float[3,40] x, w, float[] s, z) => (float[] y) {{ d = DequantizeLinear "
                        "<axis = 0, block_size = {}> (w, s{}) y = MatMul(x, d) }}",
                        block, zero ? ", z" : ""));
  const std::size_t bits = bits_of(type);
  const auto codes = [&](Shape shape, int step) {
    std::vector<int> values;
    for (std::int64_t i = 0; i < element_count(shape); ++i)
      values.push_back(static_cast<int>(i * step % (std::int64_t{1} << bits)));
    Tensor t(type, shape);
    pack_bits<int>(values, bits, t.raw_mutate());
    return t;
  };
  const std::int64_t blocks = (40 + block - 1) / block;
  Graph& graph = model.graph();
  graph.find("w")->set_constant(codes({40, 2}, 7));
  graph.find("s")->set_constant(random_tensor({blocks, 2}, 3, 0.01f, 0.1f));
  graph.find("z")->set_constant(codes({blocks, 2}, 5));
  infer_types(model);
  return model;
}

TEST(IntegersBlocks, BlockedCodesOfAnyWidth) {
  const Tensor x = random_tensor({3, 40}, 5, -2, 3);
  for (const DType type : {DType::u8, DType::s8, DType::u4, DType::s4, DType::u2, DType::s2})
    for (const bool zero : {true, false}) {
      Model model = blocked(type, zero, 32);
      const Tensor expected = Executor(model.graph()).run({{in_blocks(x)}}).front();
      const Tensor plain = Executor(model.graph()).run({{x}}).front();
      fuse_integers(model, {.blocks = true});
      ASSERT_EQ(ops_of(model.graph()), "MatMulNBits") << name_of(type);
      EXPECT_EQ(model.graph().nodes().front()->attr_int("bits"),
                static_cast<std::int64_t>(bits_of(type)));
      const Tensor y = Executor(model.graph()).run({{x}}).front();
      EXPECT_TRUE(close(y, expected, 1e-4, 1e-4)) << name_of(type) << zero;
      EXPECT_FALSE(close(y, plain, 1e-5, 1e-5)) << "rounding shows";
    }
}

TEST(IntegersBlocks, OnlyBlocksThatTheRuntimeRounds) {
  for (const auto& [type, block, taken] :
       {std::tuple<DType, std::int64_t, bool>{DType::u4, 16, true},
        {DType::u4, 64, true},
        {DType::u4, 20, false},
        {DType::u4, 512, false},
        {DType::u2, 16, false},
        {DType::u2, 128, true},
        {DType::u2, 256, false}}) {
    Model model = blocked(type, true, block);
    fuse_integers(model, {.blocks = true});
    EXPECT_EQ(ops_of(model.graph()), taken ? "MatMulNBits" : "MatMul") << name_of(type) << block;
  }
}

TEST(IntegersBlocks, AReluThatCouldGoWithTheProductKeepsItInFloat) {
  struct Case {
    const char* body;
    bool taken;
  };
  for (const Case& c : {Case{"t = MatMul(x, d) u = Relu(t) y = Erf(u)", false},
                        {"t = MatMul(x, d) v1 = Add(t, b) u = Relu(v1) y = Erf(u)", false},
                        {"t = MatMul(x, d) v1 = Add(t, b) u = Tanh(v1) y = Erf(u)", true},
                        {"t = MatMul(x, d) y = Relu(t)", true},
                        {"t = MatMul(x, d) u = Relu(t) y = Add(u, t)", true}}) {
    Model model = model_of(by_column + c.body);
    fuse_integers(model, {.blocks = true});
    EXPECT_EQ(ops_of(model.graph()).find("MatMulNBits") != std::string::npos, c.taken) << c.body;
  }
}

TEST(IntegersBlocks, OnlyWhatTheRuntimeTakes) {
  for (const std::string& body :
       {by_column + "y = Gemm <alpha = 2.0> (x, d, b)",
        std::string("d = DequantizeLinear <axis = 0> (v, s, z) y = Gemm <transB = 1> (x, d)"),
        by_column +
            "t = MatMul(x, d) q = QuantizeLinear(t, as, az) y = DequantizeLinear(q, as, az)",
        by_column + "t = MatMul(x, d) u = MatMul(x, d) y = Add(t, u)",
        by_column + "e = DequantizeLinear <axis = 1> (w, s, z) t = MatMul(x, d) u = MatMul(x, e) "
                    "y = Add(t, u)"}) {
    Model model = model_of(body);
    fuse_integers(model, {.blocks = true});
    EXPECT_EQ(ops_of(model.graph()).find("MatMulNBits"), std::string::npos) << body;
  }
  Model model = model_of(by_column + "y = MatMul(x, d)");
  fuse_integers(model);
  EXPECT_EQ(ops_of(model.graph()), "MatMul") << "what a file may hold is another thing";
}

}  // namespace
}  // namespace intaglio::testing
