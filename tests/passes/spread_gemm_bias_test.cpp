#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

// A Gemm of 4 x 3 by 3 x 5 with this bias; more: attributes.
TextModel gemm_with(const std::string& bias, const std::string& more = "") {
  return TextModel()
      .input("float[4,3] x, float[4,1] u")
      .output("float[4,5] y")
      .nodes("w = Constant <value = float[3,5] {1, -2, 3, 4, 5, 6, 7, -8, 9, 1, 2, 3, 4, 5, 6}> ()")
      .nodes(bias)
      .nodes("y = Gemm " + more + " (x, w, c)");
}

Model spread(const std::string& bias, const std::string& more = "") {
  return same_after({"constants_folded", "gemm_bias_spread"}, gemm_with(bias, more),
                    {random_tensor({4, 3}), random_tensor({4, 1}, 2)});
}

TEST(GemmBiasSpread, WhatRowsShareIsOneValuePerOutput) {
  for (const char* bias :
       {"c = Constant <value = float {0.5}> ()", "c = Constant <value = float[1] {0.5}> ()",
        "c = Constant <value = float[1,1] {0.5}> ()",
        "c = Constant <value = float[1,5] {1, 2, 3, 4, 5}> ()"}) {
    const Model model = spread(bias);
    EXPECT_EQ(ops_of(model.graph()), "Gemm") << bias;
    EXPECT_EQ(find_op(model.graph(), "Gemm")->input(2)->constant().shape(), (Shape{5})) << bias;
  }
}

TEST(GemmBiasSpread, WhatVariesByRowIsAddedBehind) {
  for (const char* bias : {"c = Constant <value = float[4,1] {1, 2, 3, 4}> ()",
                           "c = Constant <value = float[4,5] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "
                           "12, 13, 14, 15, 16, 17, 18, 19, 20}> ()"}) {
    const Model model = spread(bias);
    EXPECT_EQ(ops_of(model.graph()), "Gemm Add") << bias;
    EXPECT_EQ(find_op(model.graph(), "Gemm")->input(2), nullptr) << bias;
    EXPECT_TRUE(model.graph().find("y")->is_output());
  }
}

TEST(GemmBiasSpread, AComputedOneIsAddedBehind) {
  const Model model = spread("c = Relu(u)");
  EXPECT_EQ(ops_of(model.graph()), "Relu Gemm Add");
}

TEST(GemmBiasSpread, FactorsCount) {
  EXPECT_EQ(ops_of(spread("c = Relu(u)", "<alpha = 0.5, beta = -2.0>").graph()),
            "Relu Gemm Mul Add");
  EXPECT_EQ(ops_of(spread("c = Constant <value = float[4,1] {1, 2, 3, 4}> ()",
                          "<alpha = 3.0, beta = 0.25>")
                       .graph()),
            "Gemm Add");
  const Model scalar = spread("c = Constant <value = float {2}> ()", "<beta = 0.25>");
  EXPECT_EQ(find_op(scalar.graph(), "Gemm")->attr_float("beta"), 0.25f);
}

// A single row: [1,N] is what all rows share, and a column of one value too.
TEST(GemmBiasSpread, OneRowAndOneColumn) {
  const Model model =
      same_after({"constants_folded", "gemm_bias_spread"}, R"((float[4,2] x) => (float[4,1] y) {
      w = Constant <value = float[2,1] {1, 2}> ()
      c = Constant <value = float[4,1] {1, 2, 3, 4}> ()
      y = Gemm(x, w, c)
    })",
                 {random_tensor({4, 2})});
  EXPECT_EQ(ops_of(model.graph()), "Gemm Add");
}

TEST(GemmBiasSpread, ABiasPerOutputStays) {
  for (const char* bias : {"c = Constant <value = float[5] {1, 2, 3, 4, 5}> ()"}) {
    Model model = gemm_with(bias).typed();
    run_pass("constants_folded", model);
    EXPECT_EQ(run_pass("gemm_bias_spread", model), 0);
  }
}

TEST(GemmBiasSpread, AComputedProductStays) {
  Model model = TextModel().model(
      "(float[4,3] x, float[3,5] w, float[4,1] c) => (float[4,5] y) { y = Gemm(x, w, c) }");
  EXPECT_EQ(run_pass("gemm_bias_spread", model), 0);
}

// Nothing folds the Add back into the Gemm.
TEST(GemmBiasSpread, PreparationEnds) {
  Model model =
      gemm_with("c = Constant <value = float[4,1] {1, 2, 3, 4}> ()", "<beta = 2.0>").model();
  prepare(model);
  EXPECT_EQ(ops_of(model.graph()), "Gemm Add");
}

}  // namespace
}  // namespace intaglio::testing
