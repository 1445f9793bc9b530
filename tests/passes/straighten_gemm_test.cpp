#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

Model straight(const std::string& graph, int expected) {
  Model model = TextModel().typed(graph);
  const Tensor x = random_tensor({4, 3});
  const auto before = Executor(model.graph()).run({{x}});
  EXPECT_EQ(run_pass("gemm_straightened", model), 0) << "only where it is asked for";
  EXPECT_EQ(run_pass("gemm_straightened", model, {.straight_gemm = true}), expected);
  EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), before.front(), 1e-6));
  return model;
}

TEST(StraightenGemm, WeightsAreTransposedOnceForAllTheirReaders) {
  const Model model = straight(
      "(float[4,3] x) => (float[4,2] y) <float[2,3] w = {1,2,3,4,5,6}>"
      "{ a = Gemm<transB = 1>(x, w) b = Gemm<transB = 1>(x, w) y = Add(a, b) }",
      2);
  EXPECT_EQ(model.graph().find("w")->constant().shape(), (Shape{3, 2}));
  EXPECT_EQ(find_op(model.graph(), "Gemm")->attr_int("transB", 0), 0);
}

TEST(StraightenGemm, WhatIsStraightOrReadByOthersStays) {
  straight("(float[4,3] x) => (float[4,2] y) <float[3,2] w = {1,2,3,4,5,6}> { y = Gemm(x, w) }", 0);
  straight(
      "(float[4,3] x) => (float[4,2] y) <float[2,3] w = {1,2,3,4,5,6}>"
      "{ a = Gemm<transB = 1>(x, w) b = ReduceSum<keepdims = 0>(w) y = Add(a, b) }",
      0);
}

}  // namespace
}  // namespace intaglio::testing
