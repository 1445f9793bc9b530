#include <fmt/format.h>

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

// Conv -> the given node making y from a and the constant c.
TextModel conv_then(std::string_view node, std::string_view constant) {
  return fmt::format(R"((float[1,2,3,3] x) => (float[1,2,3,3] y) {{
      w = Constant <value = float[2,2,1,1] {{1, 2, 3, 4}}> ()
      b = Constant <value = float[2] {{0.5, -0.5}}> ()
      c = Constant <value = {}> ()
      a = Conv(x, w, b)
      {}
    }})",
                     constant, node);
}

TEST(BiasFolded, ArithmeticWithPerChannelConstants) {
  for (const char* node : {"y = Add(a, c)", "y = Add(c, a)", "y = Sub(a, c)", "y = Mul(a, c)",
                           "y = Mul(c, a)", "y = Div(a, c)"}) {
    for (const char* c : {"float[1,2,1,1] {2, -3}", "float[2,1,1] {2, -3}", "float[1] {1.5}",
                          "float[1,1,1,1] {1.5}"}) {
      const Model model = same_after({"constants_folded", "bias_folded"}, conv_then(node, c),
                                     {random_tensor({1, 2, 3, 3})});
      EXPECT_EQ(ops_of(model.graph()), "Conv") << node << c;
    }
  }
}

TEST(BiasFolded, CreatesTheBiasOfAGemm) {
  const Model model =
      same_after({"constants_folded", "bias_folded"}, R"((float[2,2] x) => (float[2,3] y) {
      w = Constant <value = float[2,3] {1, 2, 3, 4, 5, 6}> ()
      c = Constant <value = float[3] {1, 2, 3}> ()
      a = Gemm(x, w)
      y = Add(a, c)
    })",
                 {random_tensor({2, 2})});
  const Node* gemm = find_op(model.graph(), "Gemm");
  EXPECT_EQ(gemm->input(2)->constant().to_vector<float>(), (std::vector<float>{1, 2, 3}));
}

TEST(BiasFolded, KeepsWhereItCannot) {
  for (const auto& [node, c] : {std::pair{"y = Sub(c, a)", "float[1] {1}"},
                                {"y = Div(c, a)", "float[1] {1}"},
                                {"y = Div(a, c)", "float[1] {0}"},
                                {"y = Add(a, c)", "float[1,1,3,1] {1, 2, 3}"},
                                {"y = Add(a, c)", "float[3] {1, 2, 3}"},
                                {"y = Add(a, c)", "float[1,1,1,1,1] {1}"},
                                {"y = Pow(a, c)", "float[1] {1}"},
                                {"y = Add(a, a)", "float[1] {1}"}}) {
    Model model = conv_then(node, c).model();
    run_pass("constants_folded", model);
    EXPECT_EQ(run_pass("bias_folded", model), 0) << node << c;
  }
}

}  // namespace
}  // namespace intaglio::testing
