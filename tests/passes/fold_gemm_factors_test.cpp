#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(GemmFactorsFolded, GoIntoConstants) {
  const Model model =
      same_after({"constants_folded", "gemm_factors_folded"}, R"((float[2,2] x) => (float[2,3] y) {
      w = Constant <value = float[3,2] {1, 2, 3, 4, 5, 6}> ()
      c = Constant <value = float[3] {1, 2, 3}> ()
      y = Gemm <alpha = 0.5, beta = -2.0, transB = 1> (x, w, c)
    })",
                 {random_tensor({2, 2})});
  const Node* gemm = find_op(model.graph(), "Gemm");
  EXPECT_FALSE(gemm->has("alpha") || gemm->has("beta"));
  EXPECT_EQ(gemm->input(2)->constant().to_vector<float>(), (std::vector<float>{-2, -4, -6}));
}

TEST(GemmFactorsFolded, StaysBeforeWhatIsNotConstant) {
  Model model = TextModel().model(
      "(float[2,2] x, float[2,3] w, float[3] c) => (float[2,3] y) { y = Gemm <alpha = 0.5, beta = "
      "2.0> (x, w, c) }");
  EXPECT_EQ(run_pass("gemm_factors_folded", model), 0);
}

TEST(GemmFactorsFolded, BetaOfNothingGoes) {
  Model model = TextModel().model(
      "(float[2,2] x, float[2,3] w) => (float[2,3] y) { y = Gemm <beta = 2.0> (x, w) }");
  EXPECT_EQ(run_pass("gemm_factors_folded", model), 1);
  EXPECT_FALSE(find_op(model.graph(), "Gemm")->has("beta"));
}

// A constant that two nodes share is scaled for one of them alone.
TEST(GemmFactorsFolded, SharedConstants) {
  same_after({"constants_folded", "gemm_factors_folded"}, R"((float[2,2] x) => (float[2,2] y) {
      w = Constant <value = float[2,2] {1, 2, 3, 4}> ()
      a = Gemm <alpha = 3.0> (x, w)
      y = Gemm(a, w)
    })",
             {random_tensor({2, 2})});
}

}  // namespace
}  // namespace intaglio::testing
